//! Rules: what they think of what changed.

use super::{A_MOMENT, Workers, wake::wake_for};
use crate::alert::{Evaluator, ensure_shipped};
use crate::clock::SharedClock;
use crate::live::Live;
use crate::work::{run, run_later};
use model::{Change, ChangeTopic};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

impl Workers {
    /// Alerts: what was touched, at once; what looks at many together, soon; what time alone changes, now and then.
    pub(super) fn alerts(
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
}

/// Connections turned, outages came or went, rules were changed: some rule may think otherwise now.
fn rules_concerned(change: &Change) -> bool {
    match change.topic {
        ChangeTopic::Connection => !change.quiet,
        topic => matches!(topic, ChangeTopic::System | ChangeTopic::Outage),
    }
}
