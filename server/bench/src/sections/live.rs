//! From a webhook to the change in an open page, without the browser's part: that is measured with the browser.

use crate::Failure;
use crate::report::{Report, Row};
use crate::stats::{Spread, percentile_ms};
use crate::webhook::{ERROR, SIGNATURE, about};
use crate::wire::Wire;
use crate::world::{Watched, World};
use http::{HeaderName, Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Between two changes: more than the breath of a quarter of a second that the stream takes, and never the same.
const PAUSE: (u64, u64) = (350, 550);
const PATIENCE: Duration = Duration::from_secs(10);
/// What the open page asks: the newest changes first, so that the change must be on it.
const QUESTION: &str = "/api/v1/connections?sort=-since&limit=50";

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let samples = world.pick(100, 15);
    println!(
        "  how: {samples} connections a run, one after the other, each healthy until a webhook says that its sync failed; from \
         before the webhook is sent until the stream of changes has named it and the page's question, a list of 50 rows asked \
         then, shows it failing. p99 is of {samples}"
    );
    let watched = world.watched("live", world.pick(1_000, 200)).await?;
    let mut page = Page::open(&watched).await?;
    let mut keys = watched.keys.iter();
    let (mut p50s, mut p99s) = (Vec::new(), Vec::new());
    for _ in 0..world.runs() {
        let mut times = Vec::new();
        for key in keys.by_ref().take(samples) {
            tokio::time::sleep(Duration::from_millis(rand::random_range(PAUSE.0..PAUSE.1))).await;
            times.push(page.see(&watched, key).await?);
        }
        p50s.push(percentile_ms(&mut times, 0.5));
        p99s.push(percentile_ms(&mut times, 0.99));
    }
    report.add(vec![
        Row::at_most("live_p50_ms", "ms", Spread::of(p50s), 60.0),
        Row::at_most("live_p99_ms", "ms", Spread::of(p99s), 250.0),
    ]);
    watched.linewatch.stop().await
}

/// An open page: a stream of changes, and a connection to ask on.
struct Page {
    changes: mpsc::UnboundedReceiver<Value>,
    ask: Wire,
    door: Wire,
}

impl Page {
    async fn open(watched: &Watched) -> Result<Self, Failure> {
        let mut stream = watched.linewatch.api().await?;
        let answer = stream.begin(Method::GET, "/api/v1/changes", None).await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the stream of changes was answered {}", answer.status()).into());
        }
        let (tell, changes) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            // kept, because the stream ends when nobody can ask on its connection any more
            let _open = stream;
            read(answer.into_body(), &tell).await;
        });
        let ask = watched.linewatch.api().await?;
        Ok(Self { changes, ask, door: Wire::open(watched.linewatch.address).await? })
    }

    /// Lets a sync fail, and waits until the page would show it.
    async fn see(&mut self, watched: &Watched, key: &str) -> Result<Duration, Failure> {
        // true upstream as well, so that a closer look agrees; the pretend Makini sends no webhook by itself
        let mut makini = Wire::open(watched.simulator.address).await?;
        let action = format!("/_sim/connections/{key}/actions");
        makini.send(Method::POST, &action, &json!({ "action": "fail_sync" })).await?;
        while self.changes.try_recv().is_ok() {}
        let (body, signature) = about(key, "sync.failed", ERROR);
        let began = Instant::now();
        self.door.headers.insert(HeaderName::from_static(SIGNATURE), signature.parse()?);
        let seen = async {
            let answer = self.door.ask(Method::POST, "/webhooks/bench", Some(("application/json", body))).await?;
            answer.expect(StatusCode::OK)?;
            loop {
                let change = self.changes.recv().await.ok_or("the stream of changes ended")?;
                if change["topic"] != "connection" {
                    continue;
                }
                let page = self.ask.get(QUESTION).await?.json()?;
                let rows = page["items"].as_array().ok_or("a page without items")?;
                if rows.iter().any(|row| row["key"] == key && row["health"] == "failing") {
                    return Ok(began.elapsed());
                }
            }
        };
        let late = || Err(format!("{key} was not seen failing within {} s", PATIENCE.as_secs()).into());
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| late())
    }
}

/// Reads a stream of events and passes on the data of those that are changes.
async fn read(mut body: Incoming, tell: &mpsc::UnboundedSender<Value>) {
    let mut text = String::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(bytes) = frame.into_data() else { continue };
        text.push_str(&String::from_utf8_lossy(&bytes));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let data = event.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim);
            let is_change = event.lines().any(|line| line.strip_prefix("event:").map(str::trim) == Some("change"));
            if let Some(change) = data.filter(|_| is_change).and_then(|data| serde_json::from_str(data).ok())
                && tell.send(change).is_err()
            {
                return;
            }
            text = rest.to_owned();
        }
    }
}
