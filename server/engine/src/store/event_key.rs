//! What makes a webhook unique, across days: kept for 35 of them, and not partitioned.

use chrono::{DateTime, Utc};
use model::{EventId, SourceId};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

/// 128 bits of a SHA-256, in the shape that Postgres keeps and compares best.
pub type Hash = Uuid;

/// The hash of some bytes.
pub fn hash(bytes: &[u8]) -> Hash {
    short(Sha256::digest(bytes).as_slice())
}

/// What makes something unique at a source: an id, or all of its bytes.
pub fn key_of(source: SourceId, unique: &[u8]) -> Hash {
    short(Sha256::new().chain_update(source.0.as_bytes()).chain_update(Sha256::digest(unique)).finalize().as_slice())
}

fn short(hash: &[u8]) -> Hash {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    Uuid::from_bytes(half)
}

/// A webhook that came again.
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    /// Its key.
    pub key_hash: Hash,
    /// How often it came now.
    pub times: i32,
}

/// The event that a key belongs to.
#[derive(Clone, Debug)]
pub struct First {
    /// Its key.
    pub key_hash: Hash,
    /// The event that came first.
    pub event: EventId,
    /// The hash of its bytes.
    pub body_hash: Hash,
}

/// Counts repeats and tells which events came first. Locks the keys in order, as inserting them does.
pub async fn repeated(conn: &mut PgConnection, repeats: &[Repeat]) -> sqlx::Result<Vec<First>> {
    let rows = sqlx::query!(
        "with came as (
             select key_hash, times from unnest($1::uuid[], $2::integer[]) as row (key_hash, times)
         ), held as (
             select kept.key_hash, came.times from event_key kept join came on came.key_hash = kept.key_hash
             order by kept.key_hash
             for update of kept
         )
         update event_key kept set duplicates = kept.duplicates + held.times
         from held where held.key_hash = kept.key_hash
         returning kept.key_hash, kept.event_id, kept.body_hash",
        &repeats.iter().map(|repeat| repeat.key_hash).collect::<Vec<_>>(),
        &repeats.iter().map(|repeat| repeat.times).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    let firsts = rows.into_iter();
    Ok(firsts
        .map(|row| First { key_hash: row.key_hash, event: EventId(row.event_id), body_hash: row.body_hash })
        .collect())
}

/// Where the events lie that have this id of upstream's at any source: when they were received, and their ids. Only those whose
/// keys are still there.
pub async fn find(conn: &mut PgConnection, webhook_id: &str) -> sqlx::Result<Vec<(DateTime<Utc>, Uuid)>> {
    let sources = sqlx::query_scalar!("select id from source").fetch_all(&mut *conn).await?;
    let keys: Vec<_> = sources.into_iter().map(|id| key_of(SourceId(id), webhook_id.as_bytes())).collect();
    let rows = sqlx::query!("select received_at, event_id from event_key where key_hash = any($1)", &keys);
    Ok(rows.fetch_all(conn).await?.into_iter().map(|row| (row.received_at, row.event_id)).collect())
}

/// Drops at most `most` keys that are older than this; how many. Those that another process is dropping are left to it.
pub async fn delete_old(conn: &mut PgConnection, before: DateTime<Utc>, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from event_key where key_hash in (
             select key_hash from event_key where received_at < $1
             order by received_at limit $2 for update skip locked
         )",
        before,
        most,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `migrations/20261122000004_event_end.sql` made them of what was there.
    #[test]
    fn a_key_is_what_it_was() {
        let source = SourceId("0190a3c4-0000-7000-8000-000000000009".parse().unwrap());
        assert_eq!(key_of(source, b"e1").to_string(), "df884fa9-c255-9a0d-57b5-1e21f9b8569a");
        assert_eq!(hash(b"{}").to_string(), "44136fa3-55b3-678a-1146-ad16f7e8649e");
    }
}
