//! What bulk retries wait for.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// These things ended: each with its bulk retry and, if it failed, why.
pub async fn ended(
    conn: &mut PgConnection,
    ends: &[(Uuid, Uuid, Option<String>)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if ends.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update retry_item i set outcome = case when e.why is null then 'done' else 'failed' end, message = e.why, ended_at = $4
         from unnest($1::uuid[], $2::uuid[], $3::text[]) as e (retry_id, thing_id, why)
         where i.retry_id = e.retry_id and i.thing_id = e.thing_id and i.outcome is null",
        &ends.iter().map(|end| end.0).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.1).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.2.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}
