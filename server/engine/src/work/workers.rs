//! Everything that works by itself, started and stopped together.

use super::{Step, run};
use crate::clock::SharedClock;
use crate::health::{fade, reconsider};
use crate::live::Live;
use crate::poll::{Poller, Upstreams};
use crate::store::{connection, gap, source};
use crate::webhook::process::Processor;
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
}

/// The running workers. They stop when `cancel` is cancelled, each after the step it is in.
pub struct Workers;

impl Workers {
    /// Starts every worker on `tracker`.
    pub fn start(parts: Parts, tracker: &TaskTracker, cancel: &CancellationToken) {
        let Parts { pool, clock, upstreams, live, rounds, checks, events } = parts;
        let poller = Poller::new(pool.clone(), Arc::clone(&clock), upstreams, Arc::clone(&checks));
        tracker.spawn(wake(
            live.subscribe(),
            Arc::clone(&rounds),
            Arc::clone(&checks),
            Arc::clone(&events),
            cancel.clone(),
        ));
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
            let processor = Processor::new(pool.clone(), Arc::clone(&clock), checks);
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
                run("gaps", Duration::from_secs(1), &never, &cancel, || gap::step(&pool, &clock)).await;
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
                _ => {}
            },
            Err(broadcast::error::RecvError::Lagged(_)) => {
                rounds.notify_one();
                checks.notify_one();
                events.notify_one();
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
