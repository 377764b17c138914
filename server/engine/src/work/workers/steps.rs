//! What time alone changes, and a few figures: too small for rooms of their own.

use super::Workers;
use crate::clock::SharedClock;
use crate::health::{fade, reconsider};
use crate::store::{connection, issue, source};
use crate::work::Step;
use sqlx::PgPool;

impl Workers {
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
    pub(super) async fn figures(pool: &PgPool) -> Result<Step, sqlx::Error> {
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
