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

/// Whether the database takes what is written.
#[derive(Clone, Copy, Debug)]
pub struct Storing {
    /// It can only be read.
    pub read_only: bool,
    /// When a process last wrote down that it lives; none while none runs.
    pub stored_at: Option<DateTime<Utc>>,
}

/// What is known of whether the database takes what is written.
pub async fn storing(conn: &mut PgConnection) -> Result<Storing> {
    sqlx::query_as!(
        Storing,
        r#"select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "read_only!",
                  (select max(seen_at) from replica) as stored_at"#
    )
    .fetch_one(conn)
    .await
}
