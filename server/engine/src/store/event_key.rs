//! What makes a webhook unique, across days: kept for 35 of them, and not partitioned.

use chrono::{DateTime, Utc};
use model::{EventId, SourceId};
use sqlx::PgConnection;

/// A SHA-256.
pub type Hash = [u8; 32];

/// A webhook that came again.
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    /// Its source.
    pub source: SourceId,
    /// Its key.
    pub key_hash: Hash,
    /// How often it came now.
    pub times: i32,
}

/// The event that a key belongs to.
#[derive(Clone, Debug)]
pub struct First {
    /// Its source.
    pub source: SourceId,
    /// Its key.
    pub key_hash: Vec<u8>,
    /// The event that came first.
    pub event: EventId,
    /// The SHA-256 of its bytes.
    pub body_hash: Vec<u8>,
}

/// Counts repeats and tells which events came first. Locks the keys in order, as inserting them does.
pub async fn repeated(conn: &mut PgConnection, repeats: &[Repeat]) -> sqlx::Result<Vec<First>> {
    let rows = sqlx::query!(
        "with came as (
             select source_id, key_hash, times from unnest($1::uuid[], $2::bytea[], $3::integer[]) as row (source_id, key_hash, times)
         ), held as (
             select kept.source_id, kept.key_hash, came.times
             from event_key kept join came on came.source_id = kept.source_id and came.key_hash = kept.key_hash
             order by kept.source_id, kept.key_hash
             for update of kept
         )
         update event_key kept set duplicates = kept.duplicates + held.times
         from held where held.source_id = kept.source_id and held.key_hash = kept.key_hash
         returning kept.source_id, kept.key_hash, kept.event_id, kept.body_hash",
        &repeats.iter().map(|repeat| repeat.source.0).collect::<Vec<_>>(),
        &repeats.iter().map(|repeat| repeat.key_hash.to_vec()).collect::<Vec<_>>(),
        &repeats.iter().map(|repeat| repeat.times).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| First {
            source: SourceId(row.source_id),
            key_hash: row.key_hash,
            event: EventId(row.event_id),
            body_hash: row.body_hash,
        })
        .collect())
}

/// Drops at most `most` keys that are older than this; how many. Those that another process is dropping are left to it.
pub async fn delete_old(conn: &mut PgConnection, before: DateTime<Utc>, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from event_key where (source_id, key_hash) in (
             select source_id, key_hash from event_key where received_at < $1
             order by received_at limit $2 for update skip locked
         )",
        before,
        most,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
