//! One endpoint's lane: claims what is due, sends so many at once, and writes what came of it.
//!
//! One transaction at a time serves the lane, and there is no timer: it renews the lease, writes whatever ended while the one
//! before was committing, and claims more when little is left. What is claimed is committed before it is sent; so if this process
//! ends, the next one knows what may have arrived. While the database is away, results are kept and tried again: the lane's
//! token alone says whether it is still ours.

use super::circuit::{Circuit, Open, Turned};
use super::pace::Pace;
use super::schedule;
use super::send::{Letter, Postman, Tried};
use super::sign::Signer;
use super::{LIFE, turn};
use crate::clock::{SharedClock, new_id};
use crate::store::delivery::Ended;
use crate::store::delivery_due::{Content, Due};
use crate::store::lane::{self, Left, Settings, Stand};
use crate::vault::Vault;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use model::{Attempt, AttemptOutcome, EndpointId, Sent};
use sqlx::PgPool;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a lane is ours without a word. Renewed every third of it, and with every result.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(15);
const RENEW: Duration = Duration::from_secs(5);
/// How many are claimed at once, at most.
const MOST: usize = 256;
/// What is claimed should be sent within this; if it is not, less is claimed, if it is far sooner, more.
const SOON: Duration = Duration::from_millis(250);
/// A lane with nothing to do looks again so often …
const LOOK: Duration = Duration::from_secs(1);
/// … and is given up after so long.
const LINGER: Duration = Duration::from_secs(10);
/// When others wait for a place, a lane makes room after this.
const TENURE: Duration = Duration::from_secs(5);
/// After a transaction that failed.
const PAUSE: Duration = Duration::from_millis(300);
/// At a soft stop, what is under way may take so long.
const PATIENCE: Duration = Duration::from_secs(6);
/// Who had an arrival so long ago need not begin slowly.
const WARM: TimeDelta = TimeDelta::seconds(60);
/// Larger bodies are read only when they are sent, so that what is claimed is small in memory.
const SMALL: i32 = 8 * 1024;

/// What every lane works with. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tools {
    pub pool: PgPool,
    pub clock: SharedClock,
    pub vault: Vault,
    pub postman: Postman,
    /// How many large bodies are in memory at once.
    pub large: Arc<Semaphore>,
    pub cancel: CancellationToken,
}

/// How long a lane stays.
#[derive(Clone)]
pub(super) enum Stay {
    /// Until nothing is due.
    Once,
    /// It is woken when something became due, and makes room when others wait.
    Long { wake: Arc<Notify>, crowded: Arc<AtomicBool> },
}

/// What waits to be sent.
struct Queued {
    due: Due,
    content: Option<Content>,
}

type Sending = BoxFuture<'static, (Due, bool, Tried)>;
type Turning = BoxFuture<'static, turn::Turned>;

pub(super) struct Lane {
    tools: Tools,
    id: EndpointId,
    token: Uuid,
    settings: Settings,
    signer: Signer,
    circuit: Circuit,
    stand: Stand,
    pace: Pace,
    queue: VecDeque<Queued>,
    sends: FuturesUnordered<Sending>,
    under_way: HashSet<Uuid>,
    ended: Vec<Ended>,
    /// What some earlier process may have sent.
    inherited: bool,
    /// A transaction failed: what it claimed, nobody knows.
    unsure: bool,
    want: usize,
    claimed_at: Instant,
    look_at: Instant,
    /// Something became due since the last claim began.
    woken: bool,
    renew_at: Instant,
    sent: u64,
}

impl Lane {
    /// Takes the lane of an endpoint; none if somebody has it, or there is nothing to be sent.
    pub async fn take(tools: Tools, id: EndpointId) -> Result<Option<Self>, turn::Trouble> {
        let (now, token) = (tools.clock.now(), new_id());
        let mut conn = tools.pool.acquire().await?;
        let Some(left) = lane::lease(&mut conn, id, token, now, LEASE).await? else { return Ok(None) };
        let Left { abandoned, failures, open, last_ok_at, last_error } = left;
        let known = match lane::settings(&mut conn, id).await? {
            Some(settings) if settings.sends => Some((turn::signer(&mut conn, &tools.vault, id).await, settings)),
            _ => None,
        };
        let (signer, settings) = match known {
            Some((Ok(signer), settings)) => (signer, settings),
            other => {
                lane::release(&mut conn, id, token, !abandoned).await?;
                return other.map_or(Ok(None), |(signer, _)| signer.map(|_| None));
            }
        };
        drop(conn);
        let warm = last_ok_at.is_some_and(|at| now - at < WARM);
        let open = open.map(|(since, probe_at)| Open { since, probe_at });
        let begin = Instant::now();
        Ok(Some(Self {
            circuit: Circuit::new(u32::try_from(failures).unwrap_or(0), open, warm),
            stand: Stand { last_ok_at, last_error, ..Stand::default() },
            want: settings.concurrency.min(MOST),
            pace: Pace::new(begin),
            inherited: abandoned,
            renew_at: begin + RENEW,
            tools,
            id,
            token,
            settings,
            signer,
            queue: VecDeque::new(),
            sends: FuturesUnordered::new(),
            under_way: HashSet::new(),
            woken: false,
            ended: Vec::new(),
            unsure: false,
            claimed_at: begin,
            look_at: begin,
            sent: 0,
        }))
    }

    /// Drives it to its end; says how many were sent.
    pub async fn run(mut self, stay: Stay) -> u64 {
        let mut turning: Option<Turning> = None;
        let (began, mut busy_at) = (Instant::now(), Instant::now());
        // after a transaction that failed, the next one waits until then
        let mut pause: Option<Instant> = None;
        let mut stop_by: Option<Instant> = None;
        let wake = match &stay {
            Stay::Once => Arc::default(),
            Stay::Long { wake, .. } => Arc::clone(wake),
        };
        loop {
            let now = Instant::now();
            pause = pause.filter(|until| now < *until);
            if stop_by.is_none() {
                stop_by = self.should_stop(&stay, began, now);
            }
            let paced = if stop_by.is_none() { self.send_more(now) } else { None };
            let at_rest = self.sends.is_empty() && self.ended.is_empty() && turning.is_none();
            if !(at_rest && self.queue.is_empty()) {
                busy_at = now;
            }
            let (shut, looked) = (self.shut(), self.look_at > now);
            let over = match stop_by {
                Some(by) => at_rest || (now >= by && turning.is_none() && self.ended.is_empty()),
                None if shut => at_rest,
                None => {
                    let rested = matches!(stay, Stay::Once) || now - busy_at > LINGER;
                    at_rest && self.queue.is_empty() && looked && rested
                }
            };
            if over {
                break;
            }
            let claims = stop_by.is_none() && !shut && !looked && self.queue.len() <= self.want / 2;
            if turning.is_none() && pause.is_none() && (claims || !self.ended.is_empty() || now >= self.renew_at) {
                turning = Some(self.turn(claims));
            }
            let waits_for_turn = turning.is_some();
            let next = [
                paced,
                pause,
                stop_by.filter(|by| *by > now),
                (!waits_for_turn && looked).then_some(self.look_at),
                (!waits_for_turn && pause.is_none()).then_some(self.renew_at),
            ];
            let sleep = next.into_iter().flatten().min().unwrap_or(now + RENEW).max(now + Duration::from_millis(1));
            tokio::select! {
                Some(ended) = self.sends.next(), if !self.sends.is_empty() => self.note(ended),
                turned = async { turning.as_mut().expect("there is one").await }, if waits_for_turn => {
                    turning = None;
                    match self.turned(turned) {
                        Then::GoOn => {}
                        Then::Pause if self.tools.cancel.is_cancelled() => return self.sent,
                        Then::Pause => pause = Some(Instant::now() + PAUSE),
                        Then::End => return self.sent,
                    }
                }
                () = wake.notified() => (self.woken, self.look_at) = (true, Instant::now()),
                () = self.tools.cancel.cancelled(), if stop_by.is_none() => {}
                () = tokio::time::sleep_until(sleep) => {}
            }
        }
        self.leave().await;
        self.sent
    }

    /// Until when it may finish, if it should stop: with the process, because nothing is to be sent any more, or to make room.
    fn should_stop(&self, stay: &Stay, began: Instant, now: Instant) -> Option<Instant> {
        if self.tools.cancel.is_cancelled() {
            return Some(now + PATIENCE);
        }
        let room =
            matches!(stay, Stay::Long { crowded, .. } if crowded.load(Ordering::Relaxed) && now - began > TENURE);
        (room || !self.settings.sends).then_some(now + super::send::TIMEOUT * 2)
    }

    /// Nothing may be sent until a probe is due.
    fn shut(&self) -> bool {
        self.circuit.allows(self.tools.clock.now(), 1) == 0
    }

    /// Begins as many sends as may be under way. Says when the next may go, if only the rate holds it back.
    fn send_more(&mut self, now: Instant) -> Option<Instant> {
        let time = self.tools.clock.now();
        let allowed = self.circuit.allows(time, self.settings.concurrency);
        while self.sends.len() < allowed {
            let Some(queued) = self.queue.pop_front() else { break };
            if time - queued.due.begun_at >= LIFE {
                let tried = Tried::unsent(time, "too_late", "Not tried within 24 hours");
                self.end(queued.due, tried);
                continue;
            }
            if let Err(at) = self.pace.take(now, self.settings.rate_per_second) {
                self.queue.push_front(queued);
                return Some(at);
            }
            let probe = self.circuit.open().is_some();
            self.under_way.insert(queued.due.id);
            self.sends.push(self.send(queued, probe));
        }
        None
    }

    fn send(&self, queued: Queued, probe: bool) -> Sending {
        let (tools, signer, url) = (self.tools.clone(), self.signer.clone(), self.settings.url.clone());
        Box::pin(async move {
            let Queued { due, content } = queued;
            let gone = |at| Tried::unsent(at, "event_gone", "The event is no longer kept");
            let Some(content) = content else {
                let tried = gone(tools.clock.now());
                return (due, probe, tried);
            };
            let (body, _room) = match content.body {
                Some(body) => (body, None),
                None => {
                    let room = Arc::clone(&tools.large).acquire_owned().await.ok();
                    match turn::large_body(&tools.pool, &due).await {
                        Ok(Some(body)) => (body, room),
                        Ok(None) => {
                            let tried = gone(tools.clock.now());
                            return (due, probe, tried);
                        }
                        Err(error) => {
                            tracing::warn!(%error, "an event could not be read to be forwarded: {error}");
                            let why = "Linewatch could not read the event";
                            let tried = Tried::unsent(tools.clock.now(), "unread", why);
                            return (due, probe, tried);
                        }
                    }
                }
            };
            let letter = Letter { id: due.id, headers: content.headers, body: body.into() };
            let tried = tools.postman.send(&url, &signer, &letter).await;
            (due, probe, tried)
        })
    }

    /// Notes what came of a send, and what that says of the endpoint.
    fn note(&mut self, (due, probe, tried): (Due, bool, Tried)) {
        let now = self.tools.clock.now();
        self.sent += 1;
        self.under_way.remove(&due.id);
        if self.settings.ordered {
            // the next of its connection may go
            (self.woken, self.look_at) = (true, Instant::now());
        }
        let turned = match &tried.error {
            None => {
                self.stand.last_ok_at = Some(now);
                self.stand.last_error = None;
                self.circuit.arrived()
            }
            // no fault of the endpoint's
            Some(error) if ["event_gone", "unread"].contains(&error.class.as_str()) => Turned::Nothing,
            Some(error) => {
                self.stand.last_error = Some(error.clone());
                self.circuit.failed(now, probe, rand::random())
            }
        };
        let endpoint = &self.settings.name;
        match turned {
            Turned::Opened => {
                let why = self.stand.last_error.as_ref().map(|error| &error.message);
                metrics::counter!("linewatch_endpoint_opened_total").increment(1);
                tracing::warn!(endpoint, why, "the endpoint “{endpoint}” is not reached; its deliveries wait");
            }
            Turned::Closed => tracing::info!(endpoint, "the endpoint “{endpoint}” is reached again"),
            Turned::Nothing => {}
        }
        self.end(due, tried);
    }

    /// What becomes of a delivery after a try.
    fn end(&mut self, due: Due, tried: Tried) {
        let now = self.tools.clock.now();
        let ended = conclude(due, tried, now);
        count(&ended, now);
        self.ended.push(ended);
    }

    /// One transaction.
    fn turn(&mut self, claims: bool) -> Turning {
        self.stand.failures = i32::try_from(self.circuit.failures()).unwrap_or(i32::MAX);
        let open = self.circuit.open().map(|open| (open.since, open.probe_at));
        let turned = open.is_some() != self.stand.open.is_some();
        self.stand.open = open;
        self.renew_at = Instant::now() + RENEW;
        // a probe is one
        let room = if self.circuit.open().is_some() { 1 } else { self.want };
        self.woken &= !claims;
        let ended = std::mem::take(&mut self.ended);
        let held = || self.under_way.iter().copied().chain(self.queue.iter().map(|queued| queued.due.id)).collect();
        let work = turn::Work {
            endpoint: self.id,
            token: self.token,
            stand: self.stand.clone(),
            turned,
            ended,
            inherits: claims && self.inherited,
            claims: if claims { room } else { 0 },
            known: self.settings.version,
            unsure: self.unsure.then(held),
            small: SMALL,
        };
        let (pool, vault, clock) = (self.tools.pool.clone(), self.tools.vault.clone(), self.tools.clock.clone());
        Box::pin(async move { turn::turn(&pool, &vault, &clock, work).await })
    }

    /// What a transaction came to.
    fn turned(&mut self, turned: turn::Turned) -> Then {
        match turned {
            turn::Turned::Lost => {
                tracing::warn!(endpoint = self.settings.name, "another process sends to this endpoint now");
                Then::End
            }
            turn::Turned::Failed(error, ended) => {
                let endpoint = &self.settings.name;
                tracing::error!(%error, endpoint, "what was delivered could not be written yet: {error}");
                metrics::counter!("linewatch_worker_failures_total", "worker" => "deliveries").increment(1);
                self.ended.extend(ended);
                self.unsure = true;
                Then::Pause
            }
            turn::Turned::Done(done) => {
                self.done(*done);
                Then::GoOn
            }
        }
    }

    fn done(&mut self, done: turn::Done) {
        let turn::Done { changed, claimed, mut contents, inherited, asked } = done;
        self.unsure = false;
        if let Some((settings, signer)) = changed {
            if settings.url != self.settings.url {
                // how the address before fared says nothing of this one
                self.circuit = Circuit::new(0, None, false);
            }
            (self.settings, self.signer) = (settings, signer);
        }
        if asked > 0 {
            self.inherited = false;
            self.adapt(claimed.len(), asked);
        }
        let now = self.tools.clock.now();
        for due in inherited {
            let why = "Linewatch ended while it was being sent; it may have arrived";
            self.end(due, Tried::unsent(now, "interrupted", why));
        }
        // each event is on its way to an endpoint once
        let claimed = claimed.into_iter().map(|due| Queued { content: contents.remove(&due.event_id), due });
        self.queue.extend(claimed);
    }

    /// Claims more or less the next time, and looks again later if there was no more.
    fn adapt(&mut self, claimed: usize, asked: usize) {
        let now = Instant::now();
        let since = now - self.claimed_at;
        self.claimed_at = now;
        if claimed < asked {
            self.look_at = if self.woken { now } else { now + LOOK };
        } else if since < SOON / 2 {
            self.want = (self.want * 2).min(MOST);
        } else if since > SOON {
            self.want = (self.want / 2).max(self.settings.concurrency.min(MOST));
        }
    }

    /// Gives back what was not sent, and the lane. What is still under way may have arrived: the next one says so.
    async fn leave(&mut self) {
        let under_way: Vec<Uuid> = self.under_way.iter().copied().collect();
        if let Err(error) = turn::leave(&self.tools.pool, self.id, self.token, &under_way).await {
            tracing::warn!(%error, endpoint = self.settings.name, "a lane could not be given back: {error}");
        }
    }
}

/// How a lane goes on after a transaction.
enum Then {
    GoOn,
    Pause,
    End,
}

/// What becomes of a delivery after a try: it has arrived, is tried again by its schedule, or has failed.
pub(super) fn conclude(due: Due, tried: Tried, now: DateTime<Utc>) -> Ended {
    let failed = u32::try_from(due.attempt).unwrap_or(0) + 1;
    let again_at = match &tried.error {
        None => None,
        Some(error) if tried.is_gone() || error.class == "event_gone" => None,
        Some(_) => schedule::again(due.begun_at, now, failed, tried.wished, rand::random()),
    };
    let outcome = match (&tried.error, again_at) {
        (None, _) => AttemptOutcome::Ok,
        (Some(_), Some(_)) => AttemptOutcome::Retry,
        (Some(_), None) => AttemptOutcome::Failed,
    };
    let attempt = Attempt {
        n: u32::try_from(due.tries).unwrap_or(0) + 1,
        trigger: due.trigger,
        by: due.by_name.clone(),
        started_at: tried.started_at,
        duration_ms: u32::try_from(tried.took.as_millis()).unwrap_or(u32::MAX),
        outcome,
        status: tried.status,
        error: tried.error,
    };
    Ended { due, sent: Sent { attempt, answer: tried.answer }, again_at }
}

/// Shows what came of a try.
pub(super) fn count(ended: &Ended, now: DateTime<Utc>) {
    let outcome = ended.sent.attempt.outcome;
    metrics::counter!("linewatch_deliveries_total", "outcome" => outcome.code()).increment(1);
    if outcome == AttemptOutcome::Ok {
        let since = (now - ended.due.received_at).to_std().unwrap_or_default();
        metrics::histogram!("linewatch_delivery_latency_seconds").record(since.as_secs_f64());
    }
}
