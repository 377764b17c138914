//! Makini, as it should be: sends each webhook until it is answered 200, the same bytes each time, to one door and the other.

use crate::linewatch::SOURCE;
use crate::webhook::{SIGNATURE, keyed, now, sign};
use crate::wire::Wire;
use bytes::Bytes;
use chrono::{SecondsFormat, TimeDelta};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

const SENDERS: usize = 16;
/// After this, an answer is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// From a try that was not answered to the next.
const PAUSE: Duration = Duration::from_millis(50);
/// One in so many is sent again although it was answered.
const REPEATED: usize = 10;

/// What is sent.
pub struct Webhook {
    /// Its own id.
    pub id: String,
    /// Its bytes.
    pub body: Bytes,
    /// What they are signed with.
    pub signature: String,
}

/// So many: most are good news, some are old, some no dialect knows, some are about nobody that was ever listed.
pub fn webhooks(many: usize, keys: &[String]) -> Vec<Webhook> {
    let keyed = keyed();
    let all = (0..many).map(|n| {
        let key = &keys[n.wrapping_mul(7) % keys.len()];
        let (kind, key, age, data) = match n % 20 {
            0 => ("odd.thing", key.as_str(), 0, json!({ "n": n })),
            1 => ("sync.completed", key.as_str(), 120, json!({ "records": n })),
            2 => {
                ("sync.failed", key.as_str(), 0, json!({ "error": { "code": "SOURCE_ERROR", "message": "It failed" } }))
            }
            3 if n % 60 == 3 => ("sync.completed", "nobody-that-was-listed", 0, json!({ "records": n })),
            _ => ("sync.completed", key.as_str(), 0, json!({ "records": n })),
        };
        let at = (now() - TimeDelta::minutes(age)).to_rfc3339_opts(SecondsFormat::Millis, true);
        let id = format!("evt_chaos_{n:06}");
        let body = json!({ "id": id, "event": kind, "timestamp": at, "connection_id": key, "data": data }).to_string();
        let signature = sign(&keyed, body.as_bytes());
        Webhook { id, body: body.into(), signature }
    });
    all.collect()
}

/// What came of it.
#[derive(Default)]
pub struct Posted {
    /// Of what was answered 200, by the webhook's id: the id that the answer told.
    pub ids: HashMap<String, String>,
    /// Answers that say neither that it is kept nor that it should come again.
    pub wrong: Vec<String>,
    /// Repeats that were told another id.
    pub unstable: Vec<String>,
    /// Tries that were not answered 200.
    pub tries_lost: usize,
}

struct Shared {
    doors: [SocketAddr; 2],
    webhooks: Arc<Vec<Webhook>>,
    /// So many of them may be sent by now.
    allowed: AtomicUsize,
    next: AtomicUsize,
    answered: AtomicUsize,
    posted: Mutex<Posted>,
}

/// The sending, which goes on meanwhile.
pub struct Posting {
    shared: Arc<Shared>,
    senders: JoinSet<()>,
}

impl Posting {
    /// Begins; nothing is sent until it is allowed.
    pub fn begin(doors: [SocketAddr; 2], webhooks: &Arc<Vec<Webhook>>) -> Self {
        let shared = Arc::new(Shared {
            doors,
            webhooks: Arc::clone(webhooks),
            allowed: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            posted: Mutex::default(),
        });
        let senders = (0..SENDERS).map(|_| Sender { shared: Arc::clone(&shared), wires: [None, None] }.run()).collect();
        Self { shared, senders }
    }

    /// So many may be sent, of all.
    pub fn allow(&self, many: usize) {
        self.shared.allowed.store(many, Ordering::Relaxed);
    }

    /// Waits until so many are answered.
    pub async fn until(&self, many: usize) {
        while self.shared.answered.load(Ordering::Relaxed) < many {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until all are answered.
    pub async fn end(&mut self) -> Posted {
        while self.senders.join_next().await.is_some() {}
        std::mem::take(&mut self.shared.posted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One of those that send, with a connection to each door.
struct Sender {
    shared: Arc<Shared>,
    wires: [Option<Wire>; 2],
}

impl Sender {
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let note = |what: &dyn Fn(&mut Posted)| what(&mut shared.posted.lock().unwrap_or_else(PoisonError::into_inner));
        loop {
            let n = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(webhook) = shared.webhooks.get(n) else { return };
            while shared.allowed.load(Ordering::Relaxed) <= n {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let Some((id, _)) = self.send(webhook, n).await else { continue };
            note(&|posted| drop(posted.ids.insert(webhook.id.clone(), id.clone())));
            shared.answered.fetch_add(1, Ordering::Relaxed);
            if n.is_multiple_of(REPEATED)
                && let Some((again, duplicate)) = self.send(webhook, n + 1).await
            {
                if again != id {
                    note(&|posted| posted.unstable.push(format!("{} was {id}, then {again}", webhook.id)));
                }
                if !duplicate {
                    note(&|posted| posted.wrong.push(format!("{} came again and was called new", webhook.id)));
                }
            }
        }
    }

    /// Sends it until it is answered 200: the id of the event, and whether it was there before. None: it is refused for good.
    async fn send(&mut self, webhook: &Webhook, first: usize) -> Option<(String, bool)> {
        for door in (first..).map(|n| n % 2) {
            let asked = tokio::time::timeout(PATIENCE, self.ask(door, webhook)).await;
            let (status, answer) = match asked {
                Ok(Ok(answered)) => answered,
                Ok(Err(_)) | Err(_) => {
                    self.wires[door] = None;
                    (StatusCode::SERVICE_UNAVAILABLE, Value::Null)
                }
            };
            match (status, answer["id"].as_str(), answer["duplicate"].as_bool()) {
                (StatusCode::OK, Some(id), Some(duplicate)) => return Some((id.to_owned(), duplicate)),
                (StatusCode::SERVICE_UNAVAILABLE, ..) => {}
                _ => {
                    let mut posted = self.shared.posted.lock().unwrap_or_else(PoisonError::into_inner);
                    posted.wrong.push(format!("{} was answered {status}: {answer}", webhook.id));
                    return None;
                }
            }
            self.shared.posted.lock().unwrap_or_else(PoisonError::into_inner).tries_lost += 1;
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    async fn ask(&mut self, door: usize, webhook: &Webhook) -> Result<(StatusCode, Value), crate::Failure> {
        let wire = match &mut self.wires[door] {
            Some(wire) => wire,
            none => none.insert(Wire::open(self.shared.doors[door]).await?),
        };
        wire.headers.insert(SIGNATURE, HeaderValue::from_str(&webhook.signature)?);
        let body = Some(("application/json", webhook.body.clone()));
        let answer = wire.ask(Method::POST, &format!("/webhooks/{SOURCE}"), body).await?;
        Ok((answer.status, answer.json().unwrap_or_default()))
    }
}
