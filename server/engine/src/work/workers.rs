//! Everything that works by itself, started and stopped together.

use super::{BulkWorker, Step, run};
use crate::clock::SharedClock;
use crate::health::{self, OutagePolicy, fade, reconsider};
use crate::live::Live;
use crate::notify::Sender;
use crate::poll::{Poller, Upstreams};
use crate::store::{connection, gap, issue, source};
use crate::tell::Teller;
use crate::webhook::{Rush, process::Processor};
use chrono::TimeDelta;
use model::ChangeTopic;
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

/// What the workers work with.
pub struct Parts {
    /// The database.
    pub pool: PgPool,
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
            sender,
        } = parts;
        Self::start_telling(&pool, &clock, &live, &sender, tracker, cancel);
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
                run("checks", Duration::from_secs(1), &checks, &cancel, || poller.check()).await;
            });
        }
        {
            let processor = Processor::new(pool.clone(), Arc::clone(&clock), checks).giving_way(rush);
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
            tracker.spawn(wake_for_turns(live.subscribe(), Arc::clone(&turned), cancel.clone()));
            tracker.spawn(async move {
                let step = || health::watch(&pool, &clock, &outages, recovery_hold);
                run("outages", Duration::from_secs(1), &turned, &cancel, step).await;
            });
        }
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
        let cancel = cancel.clone();
        tracker.spawn(async move {
            let never = Notify::new();
            run("fading", Duration::from_secs(5), &never, &cancel, || Self::fade_due(&pool, &clock)).await;
        });
    }
}

impl Workers {
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
        tracker.spawn(wake_to_tell(live.subscribe(), Arc::clone(&news), Arc::clone(sender.wake()), cancel.clone()));
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
        let policies = source::policies(&mut tx).await?;
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
                ChangeTopic::Event => events.notify_one(),
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

/// Wakes those who tell when alerts turn, and those who send when there is something to send.
async fn wake_to_tell(
    mut changes: broadcast::Receiver<crate::live::Numbered>,
    news: Arc<Notify>,
    messages: Arc<Notify>,
    cancel: CancellationToken,
) {
    loop {
        let change = tokio::select! {
            () = cancel.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(numbered) => match numbered.change.topic {
                ChangeTopic::Alert => news.notify_one(),
                ChangeTopic::Notification => messages.notify_one(),
                _ => {}
            },
            Err(broadcast::error::RecvError::Lagged(_)) => {
                news.notify_one();
                messages.notify_one();
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Wakes the watch for outages when connections turn; good syncs, which are most of what changes, are no reason.
async fn wake_for_turns(
    mut changes: broadcast::Receiver<crate::live::Numbered>,
    turned: Arc<Notify>,
    cancel: CancellationToken,
) {
    loop {
        let change = tokio::select! {
            () = cancel.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(numbered) if numbered.change.topic != ChangeTopic::Connection || numbered.change.quiet => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => turned.notify_one(),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
