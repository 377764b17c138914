//! Which connections changed since the rules last looked.

use super::maybe_word;
use crate::alert::Touch;
use chrono::{DateTime, Utc};
use model::{ConnectionId, SourceId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// Notes changes, in their order. The caller holds the locks of these connections, so that no later change overtakes them.
pub async fn append(conn: &mut PgConnection, touches: &[Touch]) -> Result<()> {
    if touches.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into alert_touch (connection_id, at, health) \
         select id, at, health from unnest($1::uuid[], $2::timestamptz[], $3::text[]) with ordinality as t (id, at, health, n) order by n",
        &touches.iter().map(|touch| touch.connection.0).collect::<Vec<_>>(),
        &touches.iter().map(|touch| touch.at).collect::<Vec<_>>(),
        &touches.iter().map(|touch| touch.health.map(|health| health.to_string())).collect::<Vec<_>>() as &[Option<String>],
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Has rules look again at connections of these customers, or at these: what scopes look at has changed.
pub async fn again(
    conn: &mut PgConnection,
    connections: &[Uuid],
    customers: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into alert_touch (connection_id, at, health) \
         select id, $3, case when removed_at is null then health end from connection \
         where id = any($1) or customer_id = any($2) order by id",
        connections,
        customers,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The same for what is unknown or late of sources that can be seen again.
pub async fn seen_again(conn: &mut PgConnection, sources: &[SourceId], now: DateTime<Utc>) -> Result<()> {
    let ids: Vec<Uuid> = sources.iter().map(|id| id.0).collect();
    sqlx::query!(
        "insert into alert_touch (connection_id, at, health) select id, $2, health from connection \
         where source_id = any($1) and removed_at is null and health in ('unknown', 'late') order by id",
        &ids,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Takes changes out, in their order. They are gone when the transaction commits.
pub async fn take(conn: &mut PgConnection, limit: i64) -> Result<Vec<Touch>> {
    let mut rows = sqlx::query!(
        "delete from alert_touch where n in (select n from alert_touch order by n limit $1) returning n, connection_id, at, health",
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.sort_unstable_by_key(|row| row.n);
    rows.into_iter()
        .map(|row| {
            Ok(Touch {
                connection: ConnectionId(row.connection_id),
                at: row.at,
                health: maybe_word(row.health.as_deref())?,
            })
        })
        .collect()
}
