//! The user's own applications, each with a manner of its own. They note everything that they could read.

use super::ledger::Deliveries;
use super::sender::Webhook;
use crate::Failure;
use crate::webhook::SIGNATURE;
use crate::wire::Wire;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use http::Method;
use serde_json::json;
use sha2::Sha256;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// How one answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes everything.
    Well,
    /// Takes everything, and dribbles the rest of its answer for two seconds.
    Trickles,
    /// Says 500 to one in three, the first time.
    Flaky,
    /// Says 500.
    Fails,
    /// Says 429, and when to come again.
    Busy,
    /// Says 410.
    Gone,
    /// Resets the connection, by turns before and after it has read.
    Resets,
    /// Says something that is not HTTP.
    Garbles,
    /// Dribbles an answer whose head never ends.
    Dribbles,
    /// Reads, and never answers.
    Stalls,
}

/// Name, manner, whether it is well in the end, whether it wants order, and whether it wants only syncs that failed.
const APPS: [(&str, Manner, bool, bool, bool); 14] = [
    ("good", Manner::Well, true, false, false),
    ("ordered", Manner::Well, true, true, false),
    ("trickles", Manner::Trickles, true, false, true),
    ("flaky", Manner::Flaky, true, false, false),
    ("fails", Manner::Fails, true, false, false),
    ("busy", Manner::Busy, true, false, false),
    ("resets", Manner::Resets, true, false, false),
    ("garbles", Manner::Garbles, true, false, false),
    ("stalls", Manner::Stalls, true, false, false),
    ("dead-fails", Manner::Fails, false, false, false),
    ("dead-garbles", Manner::Garbles, false, false, false),
    ("dead-dribbles", Manner::Dribbles, false, false, false),
    ("dead-stalls", Manner::Stalls, false, false, false),
    ("gone", Manner::Gone, false, false, true),
];

/// The one kind that those who want only some want.
const KIND: &str = "sync.failed";

struct State {
    manner: Manner,
    /// The key that what comes is signed with; empty until the endpoint is made.
    key: Vec<u8>,
    /// By the id that it came under.
    came: HashMap<String, Came>,
    altered: Vec<String>,
    unstable: Vec<String>,
}

struct Came {
    /// Which webhook, by its place.
    webhook: usize,
    times: u64,
    accepted: bool,
}

struct Shared {
    name: &'static str,
    webhooks: Arc<Vec<Webhook>>,
    places: HashMap<String, usize>,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them. Ends with this.
pub struct App {
    shared: Arc<Shared>,
    endpoint: String,
    ends_well: bool,
    _serving: AbortOnDropHandle<()>,
}

/// What all of them saw.
#[derive(Default)]
pub struct Seen {
    /// Requests that could be read.
    pub came: u64,
    /// Of those, such as had come before.
    pub again: u64,
    /// Ids that stood for two webhooks, or for none of ours.
    pub unstable: Vec<String>,
    /// Bytes or signatures that were not as they should be.
    pub altered: Vec<String>,
    /// Done, says Linewatch, but it never came.
    pub not_come: Vec<String>,
}

/// All of them, each with its endpoint.
pub async fn all(api: &mut Wire, webhooks: &Arc<Vec<Webhook>>) -> Result<Vec<App>, Failure> {
    let mut apps = Vec::new();
    for (name, manner, ends_well, ordered, some) in APPS {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/{name}", listener.local_addr()?);
        let kinds = if some { vec![KIND] } else { Vec::new() };
        let new =
            json!({ "name": name, "url": url, "ordered": ordered, "filter": { "kinds": kinds }, "concurrency": 16 });
        let made = api.send(Method::POST, "/api/v1/endpoints", &new).await?;
        let (id, secret) = (made["id"].as_str(), made["secret"].as_str());
        let key = secret.and_then(|secret| STANDARD.decode(secret.strip_prefix("whsec_")?).ok());
        let state = State {
            manner,
            key: key.ok_or("an endpoint without a secret")?,
            came: HashMap::new(),
            altered: Vec::new(),
            unstable: Vec::new(),
        };
        let places = webhooks.iter().enumerate().map(|(n, webhook)| (webhook.id.clone(), n)).collect();
        let shared = Arc::new(Shared { name, webhooks: Arc::clone(webhooks), places, state: Mutex::new(state) });
        let serving = tokio::spawn(listen(listener, Arc::clone(&shared)));
        let endpoint = id.ok_or("an endpoint without id")?.to_owned();
        apps.push(App { shared, endpoint, ends_well, _serving: AbortOnDropHandle::new(serving) });
    }
    Ok(apps)
}

impl App {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// The id of its endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether it is well in the end.
    pub fn ends_well(&self) -> bool {
        self.ends_well
    }

    /// It takes everything from now on.
    pub fn mend(&self) {
        let mut state = self.shared.state();
        if state.manner != Manner::Trickles {
            state.manner = Manner::Well;
        }
    }

    /// How many requests it read.
    pub fn came(&self) -> u64 {
        self.shared.state().came.values().map(|came| came.times).sum()
    }

    /// Holds what it saw against what Linewatch says.
    pub fn compare(&self, deliveries: &Deliveries, seen: &mut Seen) {
        let state = self.shared.state();
        let name = self.name();
        for (id, came) in &state.came {
            seen.came += came.times;
            seen.again += came.times - 1;
            let webhook = &self.shared.webhooks[came.webhook].id;
            let known = deliveries.get(id);
            if !known.is_some_and(|known| known.endpoint == self.endpoint && known.webhook == *webhook) {
                seen.unstable.push(format!("{name} got {webhook} as {id}, which Linewatch knows as {known:?}"));
            }
        }
        let done = deliveries.iter().filter(|(_, one)| one.endpoint == self.endpoint && one.done);
        let missing = done.filter(|(id, _)| !state.came.get(*id).is_some_and(|came| came.accepted));
        seen.not_come.extend(missing.map(|(id, one)| format!("{name}: {id} of {}", one.webhook)));
        seen.unstable.extend(state.unstable.iter().cloned());
        seen.altered.extend(state.altered.iter().cloned());
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            drop(stream.set_nodelay(true));
            tokio::spawn(serve(stream, Arc::clone(&shared)));
        }
    }
}

/// Serves one connection to its end.
async fn serve(stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let manner = shared.state().manner;
        if manner == Manner::Resets && rand::random() {
            stream.get_ref().readable().await.ok()?;
            stream.get_ref().set_zero_linger().ok()?;
            return None;
        }
        let (headers, body) = request(&mut stream).await?;
        let first = note(&shared, &headers, &body)?;
        // the head of a good answer comes at once, and may be all that is waited for
        let takes = matches!(manner, Manner::Well | Manner::Trickles) || manner == Manner::Flaky && !first;
        if takes {
            accept(&shared, &headers);
        }
        let stream = stream.get_mut();
        match manner {
            Manner::Well => say(stream, "200 OK", "").await?,
            Manner::Flaky if takes => say(stream, "200 OK", "").await?,
            Manner::Flaky | Manner::Fails => say(stream, "500 Internal Server Error", "").await?,
            Manner::Busy => say(stream, "429 Too Many Requests", "retry-after: 7\r\n").await?,
            Manner::Gone => say(stream, "410 Gone", "").await?,
            Manner::Resets => return stream.set_zero_linger().ok(),
            Manner::Garbles => {
                let said: &[u8] =
                    if first { b"220 mail.example ESMTP\r\n" } else { b"\x16\x03\x01\x00\xff\0\0\r\n\r\n" };
                return stream.write_all(said).await.ok();
            }
            Manner::Trickles => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\nconnection: close\r\n\r\n").await.ok()?;
                return dribble(stream, 20).await;
            }
            Manner::Dribbles => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ").await.ok()?;
                return dribble(stream, 1_000).await;
            }
            Manner::Stalls => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                return None;
            }
        }
    }
}

async fn dribble(stream: &mut TcpStream, bytes: usize) -> Option<()> {
    for _ in 0..bytes {
        stream.write_all(b".").await.ok()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Some(())
}

async fn say(stream: &mut TcpStream, status: &str, headers: &str) -> Option<()> {
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n{headers}\r\n").as_bytes()).await.ok()
}

type Headers = HashMap<String, String>;

/// Reads a whole request.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(Headers, Vec<u8>)> {
    let (mut headers, mut line) = (Headers::new(), String::new());
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some((headers, body))
}

/// Notes what came; whether it is one of the third that a flaky one fails, at its first coming.
fn note(shared: &Shared, headers: &Headers, body: &[u8]) -> Option<bool> {
    let mut state = shared.state();
    let id = headers.get("webhook-id")?;
    let named = serde_json::from_slice::<serde_json::Value>(body).ok();
    let place = named.as_ref().and_then(|body| shared.places.get(body["id"].as_str()?).copied());
    let Some(place) = place else {
        state.altered.push(format!("{}: {id} is none of ours", shared.name));
        return Some(false);
    };
    let webhook = &shared.webhooks[place];
    if webhook.body != body
        || headers.get(SIGNATURE) != Some(&webhook.signature)
        || !is_signed(&state.key, headers, body)
    {
        state.altered.push(format!("{}: {id} of {} is not as it came, or not signed", shared.name, webhook.id));
    }
    let came = state.came.entry(id.clone()).or_insert(Came { webhook: place, times: 0, accepted: false });
    came.times += 1;
    let (before, first) = (came.webhook, came.times == 1);
    if before != place {
        let other = &shared.webhooks[before].id;
        state.unstable.push(format!("{}: {id} was {other}, then {}", shared.name, webhook.id));
    }
    Some(first && place % 3 == 0)
}

fn accept(shared: &Shared, headers: &Headers) {
    let mut state = shared.state();
    if let Some(came) = headers.get("webhook-id").and_then(|id| state.came.get_mut(id)) {
        came.accepted = true;
    }
}

/// As the text of Standard Webhooks says it, with nothing of ours.
fn is_signed(key: &[u8], headers: &Headers, body: &[u8]) -> bool {
    let (Some(id), Some(at), Some(signed), Ok(mac)) = (
        headers.get("webhook-id"),
        headers.get("webhook-timestamp"),
        headers.get("webhook-signature"),
        Hmac::<Sha256>::new_from_slice(key),
    ) else {
        return false;
    };
    let wanted = mac.chain_update(format!("{id}.{at}.")).chain_update(body).finalize().into_bytes();
    let wanted = format!("v1,{}", STANDARD.encode(wanted));
    signed.split(' ').any(|signature| signature == wanted)
}
