//! A process says that it lives.

use crate::clock::{SharedClock, new_id};
use crate::store::replica;
use chrono::TimeDelta;
use model::Replica;
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two signs of life.
const EVERY: Duration = Duration::from_secs(10);
/// A process that has said nothing for so long does no work.
pub const SILENT_AFTER: TimeDelta = TimeDelta::seconds(45);
/// One that has been silent for so long is forgotten.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);

/// Says that this process lives until cancelled, then that it has gone. `role` is the part of the work that it does.
pub async fn say_alive(
    pool: PgPool,
    clock: SharedClock,
    role: &'static str,
    version: &'static str,
    cancel: CancellationToken,
) {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let now = clock.now();
    let mut replica = Replica {
        id: new_id(),
        name: format!("{}:{}", host.trim(), std::process::id()),
        role: role.to_owned(),
        version: version.to_owned(),
        started_at: now,
        seen_at: now,
    };
    let mut tick = tokio::time::interval(EVERY);
    while cancel.run_until_cancelled(tick.tick()).await.is_some() {
        replica.seen_at = clock.now();
        let said: sqlx::Result<()> = async {
            let mut conn = pool.acquire().await?;
            replica::renew(&mut conn, &replica).await?;
            replica::delete_silent(&mut conn, replica.seen_at - FORGOTTEN_AFTER).await.map(drop)
        }
        .await;
        if let Err(error) = said {
            tracing::warn!(%error, "this process could not say that it lives: {error}");
        }
    }
    if let Ok(mut conn) = pool.acquire().await {
        // Where this fails the others see it fall silent.
        let _ = replica::delete(&mut conn, replica.id).await;
    }
}
