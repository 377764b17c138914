//! `GET /api/v1/changes`: what changed, said at once, as server-sent events.

mod pace;

use crate::api::openapi::Refusals;
use crate::auth::{Identity, Via};
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Sse, sse};
use engine::live::{Numbered, Since};
use futures::StreamExt as _;
use metrics::gauge;
use model::Change;
use pace::Pace;
use std::{convert::Infallible, time::Duration};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, interval_at};
use tokio_stream::wrappers::ReceiverStream;

/// Between two looks whether the session still lives.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Between two signs of life. Events, not comments: a browser's EventSource does not show comments to the page.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon a browser that lost the stream comes back.
const COME_BACK: Duration = Duration::from_secs(2);

/// What changed: events named `change` with the topic, the id (`*` for many) and the version; ask for what is of interest.
/// The first change is said at once, those after it every 250 ms. After a reconnect with `Last-Event-ID`, what was missed
/// comes first; where that cannot be told, an event `reset` says so. An event `heartbeat` comes every 15 s, so that silence
/// means a stream that is lost. The stream ends with the session.
#[utoipa::path(
    get,
    path = "/api/v1/changes",
    operation_id = "streamChanges",
    tag = "changes",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received.")),
    responses((status = 200, description = "Events whose data is a change.", body = Change, content_type = "text/event-stream"), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, identity: Identity, headers: HeaderMap) -> impl IntoResponse {
    let (out, events) = mpsc::channel(64);
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    // Subscribed before what was missed is asked for: so nothing falls between.
    let heard = parts.live.subscribe();
    let missed = last_id.map_or(Since::Missed(Vec::new()), |id| parts.live.since(id));
    tokio::spawn(stream(parts, identity.via, heard, missed, out));
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    (unbuffered, Sse::new(ReceiverStream::new(events).map(Ok::<_, Infallible>)))
}

/// Passes changes on until the listener goes, the session ends or Linewatch stops.
async fn stream(
    parts: Parts,
    via: Via,
    mut heard: broadcast::Receiver<Numbered>,
    missed: Since,
    out: mpsc::Sender<sse::Event>,
) {
    let _open = Open::new();
    let mut say = vec![sse::Event::default().retry(COME_BACK)];
    let mut pace = Pace::default();
    match missed {
        Since::Missed(missed) => {
            let told = pace.at_once(missed, Instant::now());
            say.extend(told.iter().map(|change| event(&parts, &pace, change)));
        }
        Since::Unknown => say.push(reset()),
    }
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let mut look = interval_at(Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
    loop {
        for event in say.drain(..) {
            if out.send(event).await.is_err() {
                return;
            }
        }
        let told = tokio::select! {
            () = parts.stop.cancelled() => return,
            () = out.closed() => return,
            _ = look.tick() => match via.lives(&parts).await {
                Ok(false) => return,
                // That the database does not answer says nothing about the session.
                Ok(true) | Err(_) => continue,
            },
            _ = heartbeat.tick() => {
                say.push(sse::Event::default().event("heartbeat").data("{}"));
                continue;
            }
            () = pace.due() => pace.flush(Instant::now()),
            heard = heard.recv() => match heard {
                Ok(change) => pace.hear(change, Instant::now()),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    say.push(reset());
                    continue;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        say.extend(told.iter().map(|change| event(&parts, &pace, change)));
    }
}

fn event(parts: &Parts, pace: &Pace, change: &Numbered) -> sse::Event {
    let event = sse::Event::default().event("change").id(parts.live.id(pace.said(change)));
    event.json_data(&change.change).unwrap_or_else(|_| reset())
}

/// Something may have been missed: ask for everything that is visible.
fn reset() -> sse::Event {
    sse::Event::default().event("reset").data("{}")
}

/// Counts a stream for as long as it is open.
struct Open;

impl Open {
    fn new() -> Self {
        gauge!("linewatch_change_streams").increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!("linewatch_change_streams").decrement(1.0);
    }
}
