//! The processes that work on this database.

use chrono::{DateTime, Utc};
use model::Replica;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// Says that a process lives.
pub async fn renew(conn: &mut PgConnection, replica: &Replica) -> Result<()> {
    sqlx::query!(
        "insert into replica (id, name, role, version, started_at, seen_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set seen_at = excluded.seen_at",
        replica.id,
        replica.name,
        replica.role,
        replica.version,
        replica.started_at,
        replica.seen_at,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// A process stops in order.
pub async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query!("delete from replica where id = $1", id).execute(conn).await.map(drop)
}

/// Forgets those that fell silent before `before`; how many.
pub async fn delete_silent(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    Ok(sqlx::query!("delete from replica where seen_at < $1", before).execute(conn).await?.rows_affected())
}

/// Forgets all. Only for who knows that no other process works on this database.
pub async fn delete_all(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("delete from replica").execute(conn).await.map(drop)
}

/// Every process, by name.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Replica>> {
    sqlx::query_as!(
        Replica,
        "select id, name, role, version, started_at, seen_at from replica order by name, started_at"
    )
    .fetch_all(conn)
    .await
}
