//! Asking upstream what can be done with the records of its platforms. Nothing waits for it.

use super::Poller;
use crate::store::sync;
use chrono::TimeDelta;
use model::Source;
use serde_json::json;
use std::collections::HashMap;

/// A description is believed so long.
const BELIEVED: TimeDelta = TimeDelta::days(1);
/// After a failure it is asked for again this much later.
const AGAIN: TimeDelta = TimeDelta::hours(1);

impl Poller {
    /// Asks, where a platform of this source has no description of today. Where upstream has none, or does not answer, what can
    /// be done stays unknown.
    pub(super) async fn describe_platforms(&self, source: &Source) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let mut conn = self.pool.acquire().await?;
        let wanted = sync::undescribed(&mut conn, source.id, now - BELIEVED).await?;
        if wanted.is_empty() {
            return Ok(());
        }
        drop(conn);
        let answer = match self.upstreams.of(source) {
            Ok(upstream) => upstream.abilities().await,
            Err(error) => Err(error),
        };
        let (described, at): (HashMap<_, _>, _) = match answer {
            Ok(described) => (described.into_iter().collect(), now),
            Err(error) => {
                tracing::debug!(source = source.name, "{} does not describe its platforms: {error}", source.name);
                (HashMap::new(), now - BELIEVED + AGAIN)
            }
        };
        let told: Vec<_> = wanted
            .into_iter()
            .map(|slug| {
                let abilities = described.get(&slug).map(|abilities| json!(abilities));
                (slug, abilities)
            })
            .collect();
        sync::describe(&mut *self.pool.acquire().await?, &told, at).await
    }
}
