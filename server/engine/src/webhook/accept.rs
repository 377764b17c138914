//! The webhook door: bytes and headers in; an id, or a reason why not, out.

use super::{
    batch,
    envelope::{self, Envelope},
    event::clean,
    headers,
    queue::Queue,
    rejections::{NO_SOURCE, Rejection, Rejections},
    sources::{Found, Known, Sources},
};
use crate::{
    clock::{SharedClock, new_id},
    live::Live,
    store::event::{Key, NewEvent},
    vault::Vault,
};
use bytes::Bytes;
use chrono::TimeDelta;
use model::{EventId, EventState, RejectionReason};
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Keys are kept this long, so an event older than this could come twice: it is kept, but moves nothing.
pub const KEYS_ARE_KEPT: TimeDelta = TimeDelta::days(35);
/// Characters kept of an id; its key is made of all of it.
const LONGEST_ID: usize = 200;

/// How much the door takes.
#[derive(Clone, Copy, Debug)]
pub struct DoorLimits {
    /// Bytes of one body.
    pub body: usize,
    /// Bytes of all bodies that wait to be stored.
    pub bytes_in_flight: usize,
    /// Rows of one batch.
    pub batch_rows: usize,
    /// How long one statement may take before its callers are refused: upstream waits ten seconds for an answer.
    pub patience: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self { body: 1 << 20, bytes_in_flight: 64 << 20, batch_rows: 512, patience: Duration::from_secs(4) }
    }
}

/// A webhook that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The event's id; of a repeat, that of the first.
    pub id: EventId,
    /// Whether it came before.
    pub duplicate: bool,
}

/// A webhook that was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: RejectionReason,
    /// Why, in a sentence.
    pub detail: String,
    /// When it may be sent again.
    pub retry_after: Option<Duration>,
}

impl Refused {
    fn new(reason: RejectionReason, detail: String) -> Self {
        Self { reason, detail, retry_after: None }
    }

    fn not_stored(detail: String) -> Self {
        // spread over some seconds, so that those who were refused together do not come back together
        let seconds = 1 + (new_id().as_u128() % 5) as u64;
        Self { reason: RejectionReason::NotStored, detail, retry_after: Some(Duration::from_secs(seconds)) }
    }

    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self.reason {
            RejectionReason::SignatureMissing | RejectionReason::SignatureWrong | RejectionReason::NoSecret => 401,
            RejectionReason::NotJson => 400,
            RejectionReason::TooLarge => 413,
            RejectionReason::NoSuchSource => 404,
            RejectionReason::NotStored => 503,
            RejectionReason::IdReused => 200,
        }
    }
}

/// The webhook door. Cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    pool: PgPool,
    clock: SharedClock,
    limits: DoorLimits,
    sources: Arc<Sources>,
    queue: Queue,
    rejections: Rejections,
    closing: CancellationToken,
    tasks: TaskTracker,
    /// Ends the tasks of a door that nobody shut down.
    _guard: DropGuard,
}

impl Door {
    /// Opens the door. `wake` is told whenever there is something to process.
    pub fn new(
        pool: PgPool,
        vault: Vault,
        clock: SharedClock,
        live: &Live,
        wake: Arc<Notify>,
        limits: DoorLimits,
    ) -> Self {
        let (sources, uses) = Sources::new(pool.clone(), vault, Arc::clone(&clock));
        let sources = Arc::new(sources);
        let rejections = Rejections::default();
        let (queue, flusher) = batch::queue(pool.clone(), limits, wake, rejections.clone());
        let (closing, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(flusher.run(closing.clone()));
        tasks.spawn({
            let (closing, sources, changes) = (closing.clone(), Arc::clone(&sources), live.subscribe());
            async move {
                closing.run_until_cancelled(sources.keep_fresh(changes, uses)).await;
            }
        });
        tasks.spawn({
            let (closing, rejections, pool) = (closing.clone(), rejections.clone(), pool.clone());
            async move {
                closing.run_until_cancelled(rejections.keep_flushing(&pool)).await;
            }
        });
        tasks.close();
        let guard = closing.clone().drop_guard();
        Self(Arc::new(Inner { pool, clock, limits, sources, queue, rejections, closing, tasks, _guard: guard }))
    }

    /// The most bytes that a body may have.
    pub fn body_limit(&self) -> usize {
        self.0.limits.body
    }

    /// Takes a webhook. Answers only when it is durable, or refused; either way it has been counted.
    pub async fn accept(&self, source_name: &str, headers: &HeaderMap, body: Bytes) -> Result<Accepted, Refused> {
        let started = Instant::now();
        let found = self.0.sources.find(source_name).await;
        let answer = match &found {
            Found::Known(source) => self.take(source, headers, &body).await,
            Found::Unknown => Err(no_such_source(source_name)),
            Found::Unavailable => {
                Err(Refused::not_stored("The sources could not be read. Send it again in a moment.".to_owned()))
            }
        };
        if let Err(refused) = &answer {
            self.record(&found, refused, headers, &body);
        }
        count(&answer);
        metrics::histogram!("linewatch_webhook_accept_seconds").record(started.elapsed().as_secs_f64());
        answer
    }

    /// Refuses a body that was cut off because it is too large.
    pub async fn too_large(&self, source_name: &str, headers: &HeaderMap) -> Refused {
        let found = self.0.sources.find(source_name).await;
        let refused = match &found {
            Found::Unknown => no_such_source(source_name),
            _ => self.over_limit(),
        };
        self.record(&found, &refused, headers, &[]);
        count(&Err(refused.clone()));
        refused
    }

    /// Takes nothing more, and returns when everything taken is stored and answered, and every rejection counted.
    pub async fn shutdown(&self) {
        self.0.closing.cancel();
        self.0.tasks.wait().await;
        self.0.rejections.flush(&self.0.pool).await;
    }

    async fn take(&self, source: &Arc<Known>, headers: &HeaderMap, body: &Bytes) -> Result<Accepted, Refused> {
        if body.len() > self.0.limits.body {
            return Err(self.over_limit());
        }
        self.verify(source, headers, body)?;
        let event = self.read(source, headers, body)?;
        self.0.queue.store(Arc::clone(source), event).await.map_err(Refused::not_stored)
    }

    fn verify(&self, source: &Known, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
        let Some(secrets) = &source.secrets else {
            let name = &source.name;
            return Err(Refused::not_stored(format!("The webhook secrets of “{name}” cannot be opened right now.")));
        };
        if secrets.is_empty() {
            let name = &source.name;
            let detail = format!("The source “{name}” has no webhook secret, so nothing can be verified. Add one.");
            return Err(Refused::new(RejectionReason::NoSecret, detail));
        }
        let header = &source.mappings.signature_header;
        let mut signatures = source.signature_header.iter().flat_map(|name| headers.get_all(name)).peekable();
        if signatures.peek().is_none() {
            let detail = format!("The header {header} is missing.");
            return Err(Refused::new(RejectionReason::SignatureMissing, detail));
        }
        match signatures.find_map(|signature| secrets.verify(body, signature.as_bytes())) {
            Some(secret) => {
                self.0.sources.note_use(source, secret, self.0.clock.now());
                Ok(())
            }
            None => {
                let detail = match secrets.len() {
                    1 => format!("The signature in {header} was not made with the live secret."),
                    n => format!("The signature in {header} was made with none of the {n} live secrets."),
                };
                Err(Refused::new(RejectionReason::SignatureWrong, detail))
            }
        }
    }

    /// Checks that it is JSON, and borrows its id and time; what it means is for later.
    fn read(&self, source: &Known, headers: &HeaderMap, body: &Bytes) -> Result<NewEvent, Refused> {
        let envelope = Envelope::read(body, &source.mappings.fields)
            .map_err(|error| Refused::new(RejectionReason::NotJson, format!("The body is not JSON: {error}.")))?;
        let in_header = source.mappings.id_header.as_deref().and_then(|name| headers.get(name));
        let in_header = in_header.map(|value| String::from_utf8_lossy(value.as_bytes())).filter(|id| !id.is_empty());
        let id = in_header.or_else(|| envelope.id.and_then(envelope::text));
        let occurred_at = envelope.timestamp.and_then(envelope::time);
        let hash = |bytes: &[u8]| -> [u8; 32] { Sha256::digest(bytes).into() };
        let key = match (&id, occurred_at) {
            (Some(id), _) => Some(Key { key: hash(id.as_bytes()), body: hash(body) }),
            (None, Some(_)) => {
                let body = hash(body);
                Some(Key { key: body, body })
            }
            (None, None) => None,
        };
        let received_at = self.0.clock.now();
        let too_old = occurred_at.is_some_and(|at| received_at - at > KEYS_ARE_KEPT);
        Ok(NewEvent {
            id: EventId(new_id()),
            received_at,
            source: source.id,
            webhook_id: id.and_then(|id| clean(&id, LONGEST_ID)),
            occurred_at,
            key,
            headers: headers::kept(headers, Some(&source.mappings)),
            body: body.clone(),
            state: if too_old { EventState::Superseded } else { EventState::Pending },
        })
    }

    fn record(&self, found: &Found, refused: &Refused, request: &HeaderMap, body: &[u8]) {
        let known = if let Found::Known(source) = found { Some(source) } else { None };
        self.0.rejections.record(&Rejection {
            source: known.map_or(NO_SOURCE, |source| &source.name),
            reason: refused.reason,
            detail: &refused.detail,
            at: self.0.clock.now(),
            headers: &|| headers::kept(request, known.map(|source| &source.mappings)),
            body,
        });
    }

    fn over_limit(&self) -> Refused {
        let detail = format!("The body is larger than {} bytes.", self.0.limits.body);
        Refused::new(RejectionReason::TooLarge, detail)
    }
}

fn no_such_source(name: &str) -> Refused {
    let name: String = name.chars().take(63).collect();
    Refused::new(RejectionReason::NoSuchSource, format!("There is no source named “{name}”."))
}

fn count(answer: &Result<Accepted, Refused>) {
    let outcome = match answer {
        Ok(Accepted { duplicate: false, .. }) => "accepted",
        Ok(Accepted { duplicate: true, .. }) => "duplicate",
        Err(refused) => refused.reason.code(),
    };
    metrics::counter!("linewatch_webhooks_total", "outcome" => outcome).increment(1);
}
