//! Everything that works by itself, started and stopped together.

use super::{BulkWorker, RetryWorker, run, run_later};
use crate::clock::SharedClock;
use crate::health::{self, OutagePolicy};
use crate::live::Live;
use crate::notify::Sender;
use crate::poll::{Poller, RecordAsker, Upstreams};
use crate::relay::Relay;
use crate::store::{Plans, gap, lane, record_event};
use crate::webhook::{Rush, process::Processor};
use chrono::TimeDelta;
use model::{Change, ChangeTopic};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wake::{wake, wake_for};

mod alerts;
mod steps;
mod telling;
mod wake;

/// Rounds at once, each over another source, so that one that does not answer, or whose list does not end, keeps no other
/// from being seen.
const ROUNDS_AT_ONCE: usize = 4;
/// Batches of closer looks at once, for the same reason.
const CHECKS_AT_ONCE: usize = 3;
/// Bulk operations at once: a small one need not wait for a large one.
const BULKS_AT_ONCE: usize = 2;

/// What looks at many is soon enough a moment after a connection turned. Who has to be told is told first.
const A_MOMENT: Duration = Duration::from_millis(30);
/// So is a closer look, later still: where many fail together, that is known before each of them is looked at.
const BEFORE_CHECKS: Duration = Duration::from_millis(500);
/// Connections to the database for the processing of events alone.
const FOR_EVENTS: u32 = 2;

/// What the workers work with.
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// The same, for what leads from a connection that turned to a message: see [`lane`].
    pub urgent: PgPool,
    /// The time.
    pub clock: SharedClock,
    /// The clients of all sources.
    pub upstreams: Upstreams,
    /// Wakes workers for what other processes committed.
    pub live: Live,
    /// Wakes the rounds.
    pub rounds: Arc<Notify>,
    /// Wakes the closer looks.
    pub checks: Arc<Notify>,
    /// Wakes the processing of events.
    pub events: Arc<Notify>,
    /// Whether the processing of events has to give way.
    pub rush: Rush,
    /// How long a connection must be well before its issues resolve by themselves.
    pub recovery_hold: TimeDelta,
    /// How long a webhook is waited for after a poll has found what it should have told.
    pub gap_window: TimeDelta,
    /// What makes an outage.
    pub outages: OutagePolicy,
    /// Sends deliveries.
    pub relay: Relay,
    /// Sends messages.
    pub sender: Sender,
}

/// The running workers. They stop when `cancel` is cancelled, each after the step it is in.
pub struct Workers;

impl Workers {
    /// Starts every worker on `tracker`.
    pub fn start(parts: Parts, tracker: &TaskTracker, cancel: &CancellationToken) {
        let Parts {
            pool,
            urgent,
            clock,
            upstreams,
            live,
            rounds,
            checks,
            events,
            rush,
            recovery_hold,
            gap_window,
            outages,
            relay,
            sender,
        } = parts;
        Self::start_telling(&urgent, &clock, &live, &sender, tracker, cancel);
        let poller = Poller::new(pool.clone(), Arc::clone(&clock), upstreams.clone(), Arc::clone(&checks));
        let bulks = Arc::new(Notify::new());
        tracker.spawn(wake(
            live.subscribe(),
            Arc::clone(&rounds),
            Arc::clone(&checks),
            Arc::clone(&events),
            Arc::clone(&bulks),
            cancel.clone(),
        ));
        {
            let worker = RetryWorker::new(pool.clone(), Arc::clone(&clock), Arc::clone(&events));
            let (retries, cancel) = (Arc::new(Notify::new()), cancel.clone());
            tracker.spawn(wake_for(retries_changed, live.subscribe(), Arc::clone(&retries), cancel.clone()));
            tracker.spawn(async move {
                run("retries", Duration::from_secs(1), &retries, &cancel, || worker.keep_pace()).await;
            });
        }
        {
            let asker = RecordAsker::new(pool.clone(), Arc::clone(&clock), upstreams.clone(), gap_window);
            let cancel = cancel.clone();
            tracker.spawn(async move {
                let never = Notify::new();
                run("records", Duration::from_millis(500), &never, &cancel, || asker.step()).await;
            });
        }
        {
            let (pool, clock, cancel) = (pool.clone(), Arc::clone(&clock), cancel.clone());
            tracker.spawn(async move {
                let never = Notify::new();
                run("gaps of records", Duration::from_secs(1), &never, &cancel, || record_event::step(&pool, &clock))
                    .await;
            });
        }
        let worker = BulkWorker::new(pool.clone(), Arc::clone(&clock), upstreams, poller.clone());
        for _ in 0..BULKS_AT_ONCE {
            let (worker, bulks, cancel) = (worker.clone(), Arc::clone(&bulks), cancel.clone());
            tracker.spawn(async move {
                run("bulk", Duration::from_secs(1), &bulks, &cancel, || worker.step()).await;
            });
        }
        for _ in 0..ROUNDS_AT_ONCE {
            let (poller, rounds, cancel) = (poller.clone(), Arc::clone(&rounds), cancel.clone());
            tracker.spawn(async move {
                run("rounds", Duration::from_secs(1), &rounds, &cancel, || poller.round()).await;
            });
        }
        for _ in 0..CHECKS_AT_ONCE {
            let (poller, checks, cancel) = (poller.clone(), Arc::clone(&checks), cancel.clone());
            tracker.spawn(async move {
                run_later("checks", Duration::from_secs(1), BEFORE_CHECKS, &checks, &cancel, || poller.check()).await;
            });
        }
        {
            let pool = lane(&pool, FOR_EVENTS, Plans::AsAsked);
            let processor = Processor::new(pool, Arc::clone(&clock), checks).giving_way(rush);
            let cancel = cancel.clone();
            tracker.spawn(async move {
                run("events", Duration::from_secs(1), &events, &cancel, || processor.step()).await;
            });
        }
        {
            let (pool, clock, cancel) = (pool.clone(), Arc::clone(&clock), cancel.clone());
            tracker.spawn(async move {
                let never = Notify::new();
                run("lateness", Duration::from_millis(500), &never, &cancel, || Self::judge_due(&pool, &clock)).await;
            });
        }
        {
            let (pool, clock, cancel) = (pool.clone(), Arc::clone(&clock), cancel.clone());
            tracker.spawn(async move {
                let never = Notify::new();
                let step = || health::issues_due(&pool, &clock, recovery_hold);
                run("issues", Duration::from_millis(500), &never, &cancel, step).await;
            });
        }
        {
            let (pool, clock, cancel) = (pool.clone(), Arc::clone(&clock), cancel.clone());
            let turned = Arc::new(Notify::new());
            tracker.spawn(wake_for(turns, live.subscribe(), Arc::clone(&turned), cancel.clone()));
            tracker.spawn(async move {
                let step = || health::watch(&pool, &clock, &outages, recovery_hold);
                run_later("outages", Duration::from_secs(1), A_MOMENT, &turned, &cancel, step).await;
            });
        }
        Self::alerts(&pool, &urgent, &clock, &live, tracker, cancel);
        {
            let (pool, cancel) = (pool.clone(), cancel.clone());
            tracker.spawn(async move {
                let never = Notify::new();
                run("figures", Duration::from_secs(5), &never, &cancel, || Self::figures(&pool)).await;
            });
        }
        {
            let (pool, clock, cancel) = (pool.clone(), Arc::clone(&clock), cancel.clone());
            tracker.spawn(async move {
                let never = Notify::new();
                run("gaps", Duration::from_secs(1), &never, &cancel, || gap::step(&pool, &clock, gap_window)).await;
            });
        }
        {
            let deliveries = Arc::new(Notify::new());
            tracker.spawn(wake_for(deliveries_due, live.subscribe(), Arc::clone(&deliveries), cancel.clone()));
            tracker.spawn(relay.run(deliveries, cancel.clone()));
        }
        let cancel = cancel.clone();
        tracker.spawn(async move {
            let never = Notify::new();
            run("fading", Duration::from_secs(5), &never, &cancel, || Self::fade_due(&pool, &clock)).await;
        });
    }
}

/// Connections turned; good syncs, which are most of what changes, are no reason.
fn turns(change: &Change) -> bool {
    change.topic == ChangeTopic::Connection && !change.quiet
}

/// Deliveries became due: that is always said of many. Of one it is said what became of it.
fn deliveries_due(change: &Change) -> bool {
    change.topic == ChangeTopic::Delivery && change.id == "*"
}

/// A retry of many was asked for or changed.
fn retries_changed(change: &Change) -> bool {
    change.topic == ChangeTopic::Retry
}
