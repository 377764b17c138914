//! Everything that works by itself, started and stopped together.

use super::{BulkWorker, RetryWorker, Step, run, run_later};
use crate::alert::{Evaluator, ensure_shipped};
use crate::clock::SharedClock;
use crate::health::{self, OutagePolicy, fade, reconsider};
use crate::live::Live;
use crate::notify::Sender;
use crate::poll::{Poller, RecordAsker, Upstreams};
use crate::relay::Relay;
use crate::store::{Plans, connection, gap, issue, lane, record_event, source};
use crate::tell::Teller;
use crate::webhook::{Rush, process::Processor};
use chrono::TimeDelta;
use model::{Change, ChangeTopic};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, broadcast};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Rounds at once, each over another source, so that one that does not answer, or whose list does not end, keeps no other
/// from being seen.
const ROUNDS_AT_ONCE: usize = 4;
/// Batches of closer looks at once, for the same reason.
const CHECKS_AT_ONCE: usize = 3;
/// Bulk operations at once: a small one need not wait for a large one.
const BULKS_AT_ONCE: usize = 2;
/// Messages at once, each by another channel, so that one that does not answer keeps no other waiting.
const MESSAGES_AT_ONCE: usize = 6;

/// What is soon enough a moment after a connection turned: a closer look, and what looks at many. Who has to be told is told first.
const A_MOMENT: Duration = Duration::from_millis(30);
/// Connections for the processing of events alone.
const FOR_EVENTS: u32 = 2;

/// What the workers work with.
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// The same, for what leads from a connection that turned to a message: see [`store::lane`].
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
                run_later("checks", Duration::from_secs(1), A_MOMENT, &checks, &cancel, || poller.check()).await;
            });
        }
        {
            let processor =
                Processor::new(lane(&pool, FOR_EVENTS, Plans::AsAsked), Arc::clone(&clock), checks).giving_way(rush);
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

impl Workers {
    /// Alerts: what was touched, at once; what looks at many together, soon; what time alone changes, now and then.
    fn alerts(
        pool: &PgPool,
        urgent: &PgPool,
        clock: &SharedClock,
        live: &Live,
        tracker: &TaskTracker,
        cancel: &CancellationToken,
    ) {
        let evaluator = Evaluator::new(pool.clone(), Arc::clone(clock));
        let first = Evaluator::new(urgent.clone(), Arc::clone(clock));
        let (touched, moved) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        for one in [&touched, &moved] {
            tracker.spawn(wake_for(rules_concerned, live.subscribe(), Arc::clone(one), cancel.clone()));
        }
        {
            let (pool, clock, cancel) = (pool.clone(), Arc::clone(clock), cancel.clone());
            tracker.spawn(async move {
                // once: those that were there once are not brought back
                let shipped = tokio::sync::OnceCell::new();
                let ensure = || async { ensure_shipped(&mut *pool.acquire().await?, clock.now()).await };
                let step = || async {
                    shipped.get_or_try_init(ensure).await?;
                    first.step().await
                };
                run("alerts", Duration::from_millis(500), &touched, &cancel, step).await;
            });
        }
        {
            let (evaluator, cancel) = (evaluator.clone(), cancel.clone());
            tracker.spawn(async move {
                let step = || async {
                    let step = evaluator.sweep(false).await;
                    // the first look is at once; more of the same storm are taken together
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    step
                };
                run_later("alerts of many", Duration::from_secs(60), A_MOMENT, &moved, &cancel, step).await;
            });
        }
        {
            let (evaluator, cancel) = (evaluator.clone(), cancel.clone());
            tracker.spawn(async move {
                let never = Notify::new();
                run("alerts by time", Duration::from_secs(10), &never, &cancel, || evaluator.sweep(true)).await;
            });
        }
        let cancel = cancel.clone();
        tracker.spawn(async move {
            let never = Notify::new();
            run("alert figures", Duration::from_secs(5), &never, &cancel, || evaluator.figures()).await;
        });
    }

    /// Starts what leads from an alert to a message.
    fn start_telling(
        pool: &PgPool,
        clock: &SharedClock,
        live: &Live,
        sender: &Sender,
        tracker: &TaskTracker,
        cancel: &CancellationToken,
    ) {
        let teller = Teller::new(pool.clone(), Arc::clone(clock), sender.clone());
        let news = Arc::new(Notify::new());
        for (concerns, wake) in [(alerts_turned as fn(&Change) -> bool, &news), (messages_due, sender.wake())] {
            tracker.spawn(wake_for(concerns, live.subscribe(), Arc::clone(wake), cancel.clone()));
        }
        {
            let (teller, cancel) = (teller.clone(), cancel.clone());
            tracker.spawn(async move {
                run("telling", Duration::from_millis(250), &news, &cancel, || teller.step()).await;
            });
        }
        {
            let cancel = cancel.clone();
            tracker.spawn(async move {
                let never = Notify::new();
                run("silences", Duration::from_secs(1), &never, &cancel, || teller.upkeep()).await;
            });
        }
        for _ in 0..MESSAGES_AT_ONCE {
            let (sender, cancel) = (sender.clone(), cancel.clone());
            tracker.spawn(async move {
                let wake = Arc::clone(sender.wake());
                run("messages", Duration::from_millis(500), &wake, &cancel, || sender.step()).await;
            });
        }
        let (sender, cancel) = (sender.clone(), cancel.clone());
        tracker.spawn(async move {
            let never = Notify::new();
            run("fallbacks", Duration::from_secs(5), &never, &cancel, || sender.take_over()).await;
        });
    }

    /// Judges again what the clock alone may have changed.
    pub async fn judge_due(pool: &PgPool, clock: &SharedClock) -> Result<Step, sqlx::Error> {
        let now = clock.now();
        let mut tx = pool.begin().await?;
        let ids = connection::judge_due(&mut tx, now, 500).await?;
        if ids.is_empty() {
            return Ok(Step::Idle);
        }
        let policies = source::policies_with_hearing(&mut tx, now).await?;
        reconsider(&mut tx, &ids, &policies, now).await?;
        tx.commit().await?;
        Ok(Step::Busy)
    }

    /// Shows how many issues are open, and how many outages last.
    async fn figures(pool: &PgPool) -> Result<Step, sqlx::Error> {
        let (issues, outages) = issue::figures(&mut *pool.acquire().await?).await?;
        #[expect(clippy::cast_precision_loss, reason = "counts of what people look after")]
        let (issues, outages) = (issues as f64, outages as f64);
        metrics::gauge!("linewatch_issues_open").set(issues);
        metrics::gauge!("linewatch_outages_open").set(outages);
        Ok(Step::Idle)
    }

    /// Lets states fade whose proof has become too old.
    pub async fn fade_due(pool: &PgPool, clock: &SharedClock) -> Result<Step, sqlx::Error> {
        let mut tx = pool.begin().await?;
        let policies = source::policies(&mut tx).await?;
        let faded = fade(&mut tx, &policies, clock.now()).await?;
        tx.commit().await?;
        Ok(if faded.transitions > 0 { Step::Busy } else { Step::Idle })
    }
}

/// Turns what other processes committed into wake-ups. A lost one costs the idle time of a worker, no more.
async fn wake(
    mut changes: broadcast::Receiver<crate::live::Numbered>,
    rounds: Arc<Notify>,
    checks: Arc<Notify>,
    events: Arc<Notify>,
    bulks: Arc<Notify>,
    cancel: CancellationToken,
) {
    loop {
        let change = tokio::select! {
            () = cancel.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(numbered) => match numbered.change.topic {
                // of what was processed it is said too, with a version
                ChangeTopic::Event if numbered.change.version == 0 => events.notify_one(),
                ChangeTopic::Connection => checks.notify_one(),
                ChangeTopic::System => rounds.notify_one(),
                ChangeTopic::Retry => bulks.notify_one(),
                _ => {}
            },
            Err(broadcast::error::RecvError::Lagged(_)) => {
                rounds.notify_one();
                checks.notify_one();
                events.notify_one();
                bulks.notify_one();
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Wakes somebody for what concerns them; also when it cannot be told what changed.
async fn wake_for(
    concerns: fn(&Change) -> bool,
    mut changes: broadcast::Receiver<crate::live::Numbered>,
    wake: Arc<Notify>,
    cancel: CancellationToken,
) {
    loop {
        let change = tokio::select! {
            () = cancel.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(numbered) if !concerns(&numbered.change) => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => wake.notify_one(),
            Err(broadcast::error::RecvError::Closed) => return,
        }
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

/// Connections turned, outages came or went, rules were changed: some rule may think otherwise now.
fn rules_concerned(change: &Change) -> bool {
    match change.topic {
        ChangeTopic::Connection => !change.quiet,
        topic => matches!(topic, ChangeTopic::System | ChangeTopic::Outage),
    }
}

/// Alerts turned: somebody may have to be told.
fn alerts_turned(change: &Change) -> bool {
    change.topic == ChangeTopic::Alert
}

/// There may be messages to send.
fn messages_due(change: &Change) -> bool {
    change.topic == ChangeTopic::Notification
}
