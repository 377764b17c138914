//! The webhook door: headers in, then bytes; an id, or a reason why not, out.

use super::{
    batch,
    budget::{Budget, Place},
    envelope::{self, Envelope},
    event::clean,
    headers,
    limits::DoorLimits,
    queue::Queue,
    refused::{NotRead, Refused},
    rejections::{NO_SOURCE, Rejection, Rejections},
    rush::Rush,
    signature::Secrets,
    sources::{Found, Known, Sources},
};
use crate::{
    clock::{SharedClock, id_at},
    live::Live,
    store::{
        event::{Key, NewEvent},
        event_key::{hash, key_of},
    },
    vault::Vault,
};
use bytes::Bytes;
use chrono::TimeDelta;
use metrics::{Counter, Histogram};
use model::{EventId, RejectionReason};
use reqwest::header::{HeaderMap, HeaderValue};
use sqlx::PgPool;
use std::{
    sync::{Arc, OnceLock},
    time::Instant,
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
/// What a webhook weighs beside its body, in bytes.
const OVERHEAD: usize = 512;

/// A webhook that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The event's id; of a repeat, that of the first.
    pub id: EventId,
    /// Whether it came before.
    pub duplicate: bool,
}

/// A webhook whose body may be read. What it holds is given back when it is dropped, or stored and answered.
pub struct Admitted {
    source: Arc<Known>,
    place: Place,
}

impl Admitted {
    /// Counts so many more bytes of its body; false when there is no room for them.
    pub fn hold(&mut self, more: usize) -> bool {
        self.place.hold(more)
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
    budget: Budget,
    queue: Queue,
    rejections: Rejections,
    rush: Rush,
    meters: OnceLock<Meters>,
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
        let (rejections, rush) = (Rejections::default(), Rush::default());
        let (queue, flusher) = batch::queue(pool.clone(), limits, wake, rejections.clone(), rush.clone());
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
        let budget = Budget::new(limits.bytes_in_flight);
        Self(Arc::new(Inner {
            pool,
            clock,
            limits,
            sources,
            budget,
            queue,
            rejections,
            rush,
            meters: OnceLock::new(),
            closing,
            tasks,
            _guard: guard,
        }))
    }

    /// Whether many stand here, for who works beside the door.
    pub fn rush(&self) -> Rush {
        self.0.rush.clone()
    }

    /// The most bytes that a body may have.
    pub fn body_limit(&self) -> usize {
        self.0.limits.body
    }

    /// Looks at a webhook before any of its body is read: who names no source or brings no signature gets no room.
    pub async fn admit(&self, source_name: &str, headers: &HeaderMap) -> Result<Admitted, Refused> {
        let found = self.0.sources.find(source_name).await;
        let admitted = match &found {
            Found::Known(source) => self.place(source, headers),
            Found::Unknown => Err(Refused::no_such_source(source_name)),
            Found::Unavailable => {
                Err(Refused::not_stored("The sources could not be read. Send it again in a moment.".to_owned()))
            }
        };
        if let Err(refused) = &admitted {
            self.record(found.known(), refused, headers, &[]);
        }
        admitted
    }

    /// Takes a webhook whose body was counted. Answers only when it is durable, or refused; either way it has been counted.
    pub async fn take(&self, admitted: Admitted, headers: &HeaderMap, body: Bytes) -> Result<Accepted, Refused> {
        let (started, source) = (Instant::now(), Arc::clone(&admitted.source));
        let answer = self.store(admitted, headers, &body).await;
        let meters = self.0.meters.get_or_init(Meters::new);
        match &answer {
            Ok(Accepted { duplicate: false, .. }) => meters.accepted.increment(1),
            Ok(Accepted { duplicate: true, .. }) => meters.duplicate.increment(1),
            Err(refused) => self.record(Some(&source), refused, headers, &body),
        }
        meters.seconds.record(started.elapsed().as_secs_f64());
        answer
    }

    /// Takes a webhook that is there as a whole: [`Self::admit`] and [`Self::take`] in one.
    pub async fn accept(&self, source_name: &str, headers: &HeaderMap, body: Bytes) -> Result<Accepted, Refused> {
        let mut admitted = self.admit(source_name, headers).await?;
        if !admitted.hold(body.len()) {
            return Err(self.not_read(source_name, headers, NotRead::NoRoom).await);
        }
        self.take(admitted, headers, body).await
    }

    /// Refuses a body that was not read to its end.
    pub async fn not_read(&self, source_name: &str, headers: &HeaderMap, why: NotRead) -> Refused {
        let found = self.0.sources.find(source_name).await;
        let refused = match &found {
            Found::Unknown => Refused::no_such_source(source_name),
            _ => Refused::not_read(why, self.0.limits.body),
        };
        self.record(found.known(), &refused, headers, &[]);
        refused
    }

    /// Refuses a body that is too large.
    pub async fn too_large(&self, source_name: &str, headers: &HeaderMap) -> Refused {
        self.not_read(source_name, headers, NotRead::TooLarge).await
    }

    /// Takes nothing more, and returns when everything taken is stored and answered, and every rejection counted.
    pub async fn shutdown(&self) {
        self.0.closing.cancel();
        self.0.tasks.wait().await;
        self.0.rejections.flush(&self.0.pool).await;
    }

    async fn store(&self, admitted: Admitted, headers: &HeaderMap, body: &Bytes) -> Result<Accepted, Refused> {
        let Admitted { source, place } = admitted;
        if body.len() > self.0.limits.body {
            return Err(Refused::not_read(NotRead::TooLarge, self.0.limits.body));
        }
        self.verify(&source, headers, body)?;
        let event = self.read(&source, headers, body)?;
        self.0.queue.store(source, event, place).await.map_err(Refused::not_stored)
    }

    /// A place for who may come in: all that can be told without a body.
    fn place(&self, source: &Arc<Known>, headers: &HeaderMap) -> Result<Admitted, Refused> {
        let name = &source.name;
        let Some(secrets) = &source.secrets else {
            return Err(Refused::not_stored(format!("The webhook secrets of “{name}” cannot be opened right now.")));
        };
        if secrets.is_empty() {
            let detail = format!("The source “{name}” has no webhook secret, so nothing can be verified. Add one.");
            return Err(Refused::new(RejectionReason::NoSecret, detail));
        }
        if signatures(source, headers).next().is_none() {
            let detail = format!("The header {} is missing.", source.mappings.signature_header);
            return Err(Refused::new(RejectionReason::SignatureMissing, detail));
        }
        let mut place = self.0.budget.place();
        if !place.hold(OVERHEAD) {
            return Err(Refused::not_read(NotRead::NoRoom, self.0.limits.body));
        }
        Ok(Admitted { source: Arc::clone(source), place })
    }

    fn verify(&self, source: &Known, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
        let by = |secrets: &Secrets| {
            signatures(source, headers).find_map(|signature| secrets.verify(body, signature.as_bytes()))
        };
        if let Some(secret) = source.secrets.as_ref().and_then(by) {
            self.0.sources.note_use(source, secret, self.0.clock.now());
            return Ok(());
        }
        let header = &source.mappings.signature_header;
        let detail = match source.secrets.as_ref().map_or(0, Secrets::len) {
            1 => format!("The signature in {header} was not made with the live secret."),
            n => format!("The signature in {header} was made with none of the {n} live secrets."),
        };
        Err(Refused::new(RejectionReason::SignatureWrong, detail))
    }

    /// Checks that it is JSON, and borrows its id and time; what it means is for later.
    fn read(&self, source: &Known, headers: &HeaderMap, body: &Bytes) -> Result<NewEvent, Refused> {
        let envelope = Envelope::read(body, &source.mappings.fields)
            .map_err(|error| Refused::new(RejectionReason::NotJson, format!("The body is not JSON: {error}.")))?;
        let in_header = source.mappings.id_header.as_deref().and_then(|name| headers.get(name));
        let in_header = in_header.map(|value| String::from_utf8_lossy(value.as_bytes())).filter(|id| !id.is_empty());
        let id = in_header.or_else(|| envelope.id.and_then(envelope::text));
        let occurred_at = envelope.timestamp.and_then(envelope::time);
        let key = match (&id, occurred_at) {
            (Some(id), _) => Some(Key { key: key_of(source.id, id.as_bytes()), body: hash(body) }),
            (None, Some(_)) => Some(Key { key: key_of(source.id, body), body: hash(body) }),
            (None, None) => None,
        };
        let received_at = self.0.clock.now();
        Ok(NewEvent {
            id: EventId(id_at(received_at)),
            received_at,
            source: source.id,
            webhook_id: id.and_then(|id| clean(&id, LONGEST_ID)),
            occurred_at,
            key,
            headers: headers::kept(headers, Some(&source.mappings)),
            body: body.clone(),
        })
    }

    fn record(&self, known: Option<&Arc<Known>>, refused: &Refused, request: &HeaderMap, body: &[u8]) {
        outcome(refused.reason.code()).increment(1);
        self.0.rejections.record(&Rejection {
            source: known.map_or(NO_SOURCE, |source| &source.name),
            reason: refused.reason,
            detail: &refused.detail,
            at: self.0.clock.now(),
            headers: &|| headers::kept(request, known.map(|source| &source.mappings)),
            body,
        });
    }
}

impl Found {
    fn known(&self) -> Option<&Arc<Known>> {
        if let Self::Known(source) = self { Some(source) } else { None }
    }
}

fn signatures<'a>(source: &'a Known, headers: &'a HeaderMap) -> impl Iterator<Item = &'a HeaderValue> {
    source.signature_header.iter().flat_map(move |name| headers.get_all(name))
}

/// What is counted for every webhook, looked up once.
struct Meters {
    accepted: Counter,
    duplicate: Counter,
    seconds: Histogram,
}

impl Meters {
    fn new() -> Self {
        let seconds = metrics::histogram!("linewatch_webhook_accept_seconds");
        Self { accepted: outcome("accepted"), duplicate: outcome("duplicate"), seconds }
    }
}

fn outcome(outcome: &'static str) -> Counter {
    metrics::counter!("linewatch_webhooks_total", "outcome" => outcome)
}
