//! Who drives which lane: looks for endpoints to which something is due and nobody sends, and gives each a task of its own, so
//! that one that is slow or dead keeps no other waiting.

use super::lane::{Lane, Stay, Tools, conclude, count};
use super::schedule::LAST;
use super::send::{Postman, Tried};
use crate::clock::SharedClock;
use crate::http::Outbound;
use crate::live;
use crate::store::{delivery, delivery_due, endpoint, lane};
use crate::vault::Vault;
use crate::work::Step;
use chrono::TimeDelta;
use model::{Change, ChangeTopic, EndpointId};
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Lanes that one process drives at once.
const MOST: usize = 64;
/// It looks so often even if nobody wakes it.
const IDLE: Duration = Duration::from_millis(500);
/// It looks no more often than this.
const BREATH: Duration = Duration::from_millis(10);
/// How often it looks for what has waited too long, and shows figures.
const CHORES: Duration = Duration::from_secs(5);
/// A lane that could not be taken is tried again after this.
const HOLD_OFF: Duration = Duration::from_secs(10);
/// What waits for its last try may still be what an endpoint is probed with: there is a probe at least so often.
const GRACE: TimeDelta = TimeDelta::minutes(5);
/// Of what waited too long, so many are ended at once.
const OVERDUE: i64 = 500;
/// Large bodies in memory at once; each at most 1 MiB.
const LARGE: usize = 16;

/// Sends deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    tools: Tools,
}

/// A lane that is being driven here.
struct Driven {
    endpoint: EndpointId,
    wake: Arc<Notify>,
}

impl Relay {
    /// One that sends to where it may.
    pub fn new(pool: PgPool, clock: SharedClock, vault: Vault, outbound: &Outbound) -> Self {
        let postman = Postman::new(outbound, clock.clone());
        let large = Arc::new(Semaphore::new(LARGE));
        Self { tools: Tools { pool, clock, vault, postman, large, cancel: CancellationToken::new() } }
    }

    /// Sends everything that is due by now, once. For those who want to know when that is done; [`Self::run`] is for ever.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        let overdue = self.end_overdue().await?;
        let now = self.tools.clock.now();
        let found = lane::waiting(&mut *self.tools.pool.acquire().await?, now, &[], 1_000).await?;
        let mut lanes = JoinSet::new();
        for id in found {
            let tools = self.tools.clone();
            lanes.spawn(async move {
                match Lane::take(tools, id).await {
                    Ok(Some(lane)) => lane.run(Stay::Once).await,
                    Ok(None) => 0,
                    Err(error) => {
                        tracing::error!(endpoint = %id, %error, "nothing can be sent to an endpoint: {error}");
                        0
                    }
                }
            });
        }
        let sent: u64 = lanes.join_all().await.into_iter().sum();
        Ok(if sent > 0 || overdue { Step::Busy } else { Step::Idle })
    }

    /// Drives lanes until cancelled; `wake`: something became due.
    pub async fn run(mut self, wake: Arc<Notify>, cancel: CancellationToken) {
        self.tools.cancel = cancel.clone();
        let crowded = Arc::new(AtomicBool::new(false));
        let (mut lanes, mut driven) = (JoinSet::new(), HashMap::<Id, Driven>::new());
        // when each was last served here, so that all have their turn; and whom to leave alone for now
        let (mut served, mut held_off) = (HashMap::<EndpointId, Instant>::new(), HashMap::<EndpointId, Instant>::new());
        let (mut chores_at, mut tick) = (Instant::now(), tokio::time::interval(IDLE));
        let (mut looked_at, mut breathing) = (None::<Instant>, false);
        while !cancel.is_cancelled() {
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(BREATH), if breathing => {}
                () = wake.notified() => driven.values().for_each(|lane| lane.wake.notify_one()),
                _ = tick.tick() => {}
                Some(ended) = lanes.join_next_with_id(), if !lanes.is_empty() => {
                    let (id, well) = match ended {
                        Ok((id, well)) => (id, well),
                        Err(error) => {
                            tracing::error!(%error, "a lane met a fault of ours: {error}");
                            (error.id(), false)
                        }
                    };
                    if let Some(lane) = driven.remove(&id) {
                        served.insert(lane.endpoint, Instant::now());
                        if !well {
                            held_off.insert(lane.endpoint, Instant::now() + HOLD_OFF);
                        }
                    }
                }
            }
            if Instant::now() >= chores_at {
                chores_at = Instant::now() + CHORES;
                held_off.retain(|_, until| *until > Instant::now());
                self.chores().await;
            }
            // under load it is woken with every batch of events; the lanes that run look for themselves
            breathing = looked_at.is_some_and(|at| at.elapsed() < BREATH);
            if breathing {
                continue;
            }
            looked_at = Some(Instant::now());
            let found = match self.look(&driven, &held_off).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::error!(%error, "the relay cannot look for deliveries and tries again: {error}");
                    metrics::counter!("linewatch_worker_failures_total", "worker" => "deliveries").increment(1);
                    tokio::time::sleep(IDLE).await;
                    continue;
                }
            };
            crowded.store(found.len() + driven.len() > MOST, Ordering::Relaxed);
            let mut found: Vec<_> = found.into_iter().map(|id| (served.get(&id).copied(), id)).collect();
            found.sort_unstable();
            for (_, endpoint) in found.into_iter().take(MOST.saturating_sub(driven.len())) {
                let (tools, wake) = (self.tools.clone(), Arc::new(Notify::new()));
                let stay = Stay::Long { wake: Arc::clone(&wake), crowded: Arc::clone(&crowded) };
                let task = lanes.spawn(drive(tools, endpoint, stay));
                driven.insert(task.id(), Driven { endpoint, wake });
            }
        }
        while lanes.join_next().await.is_some() {}
    }

    async fn look(
        &self,
        driven: &HashMap<Id, Driven>,
        held_off: &HashMap<EndpointId, Instant>,
    ) -> Result<Vec<EndpointId>, sqlx::Error> {
        let but: Vec<_> = driven.values().map(|lane| lane.endpoint).chain(held_off.keys().copied()).collect();
        let mut conn = self.tools.pool.acquire().await?;
        lane::waiting(&mut conn, self.tools.clock.now(), &but, 1_000).await
    }

    /// What needs to be looked after now and then.
    async fn chores(&self) {
        let all = async {
            while self.end_overdue().await? {}
            let now = self.tools.clock.now();
            let mut conn = self.tools.pool.acquire().await?;
            endpoint::sweep_removed(&mut conn, now).await?;
            let (backlog, open) = (delivery_due::backlog(&mut conn, now).await?, lane::open(&mut conn).await?.len());
            #[expect(clippy::cast_precision_loss, reason = "counts to be looked at")]
            let (backlog, open) = (backlog as f64, open as f64);
            metrics::gauge!("linewatch_delivery_backlog").set(backlog);
            metrics::gauge!("linewatch_endpoint_open").set(open);
            Ok::<_, sqlx::Error>(())
        };
        if let Err(error) = all.await {
            tracing::error!(%error, "the relay cannot look after what waits and tries again: {error}");
        }
    }

    /// Ends what has waited until its last try for endpoints that are not reached; true if there may be more.
    async fn end_overdue(&self) -> Result<bool, sqlx::Error> {
        let now = self.tools.clock.now();
        let mut more = false;
        for id in lane::open(&mut *self.tools.pool.acquire().await?).await? {
            let mut tx = self.tools.pool.begin().await?;
            let overdue = delivery_due::take_overdue(&mut tx, id, now - LAST - GRACE, OVERDUE).await?;
            if overdue.is_empty() {
                tx.rollback().await?;
                continue;
            }
            let why = "The endpoint was not reached until the end of its schedule";
            let ended = overdue.into_iter().map(|due| conclude(due, Tried::unsent(now, "circuit_open", why), now));
            let ended: Vec<_> = ended.collect();
            delivery::write(&mut tx, id, &ended.iter().collect::<Vec<_>>(), now).await?;
            live::announce(&mut tx, &[Change::new(ChangeTopic::Delivery, id, 0)]).await?;
            tx.commit().await?;
            ended.iter().for_each(|end| count(end, now));
            more |= ended.len() as i64 == OVERDUE;
        }
        Ok(more)
    }
}

/// Drives one lane; false if it cannot be driven.
async fn drive(tools: Tools, endpoint: EndpointId, stay: Stay) -> bool {
    match Lane::take(tools, endpoint).await {
        Ok(Some(lane)) => {
            lane.run(stay).await;
            true
        }
        Ok(None) => true,
        Err(error) => {
            tracing::error!(%endpoint, %error, "nothing can be sent to an endpoint: {error}");
            false
        }
    }
}
