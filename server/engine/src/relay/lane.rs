//! One endpoint's lane: claims what is due, sends so many at once, and writes what came of it.
//!
//! One transaction at a time serves the lane, and there is no timer: it renews the lease, writes whatever ended while the one
//! before was committing, and claims more when little is left. What is claimed is committed before it is sent; so if this process
//! ends, the next one knows what may have arrived. While the database is away, results are kept and tried again: the lane's
//! token alone says whether it is still ours.

mod sending;

pub(super) use sending::{conclude, count};

use super::circuit::{Circuit, Open};
use super::pace::Pace;
use super::send::{Postman, Tried};
use super::sign::Signer;
use super::turn;
use crate::clock::{SharedClock, new_id};
use crate::store::delivery::Ended;
use crate::store::delivery_content::Content;
use crate::store::delivery_due::Due;
use crate::store::lane::{self, Left, Settings, Stand};
use crate::vault::Vault;
use chrono::TimeDelta;
use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use model::EndpointId;
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
        let kept_open = open;
        let open = open.map(|(since, probe_at)| Open { since, probe_at });
        let begin = Instant::now();
        Ok(Some(Self {
            circuit: Circuit::new(u32::try_from(failures).unwrap_or(0), open, warm),
            stand: Stand { failures, open: kept_open, last_ok_at, last_error },
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
