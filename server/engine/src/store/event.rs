//! Webhooks as they came: taken in batches, and never touched again. What waits to be processed is in [`super::event_due`],
//! what became of it in [`super::event_end`]; asking about them is in [`super::event_list`].

pub use super::event_list::{get, list};

use super::event_key::Hash;
use chrono::{DateTime, Utc};
use model::{EventId, SourceId};
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// What makes an event unique at its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// That of its id, or of its bytes when it has a time but no id: see [`super::event_key::key_of`].
    pub key: Hash,
    /// That of its bytes.
    pub body: Hash,
}

/// An event to store.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// Its source.
    pub source: SourceId,
    /// Upstream's id for it, fit for a column.
    pub webhook_id: Option<String>,
    /// Its own time, unclamped.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What makes it unique; none if it can never be told from a repeat.
    pub key: Option<Key>,
    /// The headers worth keeping, as a JSON list of pairs.
    pub headers: String,
    /// Its bytes.
    pub body: bytes::Bytes,
}

/// Stores events whose keys are new, makes them due at once, and announces them if there are any. Answers which were stored; the others came before.
///
/// One statement and so one transaction and one way to Postgres and back: this is what every webhook waits for. Keys go
/// first, sorted, so that two processes never wait for each other in a ring; keys that are being inserted elsewhere are waited for.
pub async fn insert(
    conn: &mut PgConnection,
    events: &[&NewEvent],
    announcement: Option<&str>,
) -> sqlx::Result<HashSet<Uuid>> {
    let stored = sqlx::query_scalar!(
        r#"with row as (
               select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::timestamptz[], $6::uuid[],
                                    $7::uuid[], $8::text[], $9::bytea[])
                    as row (id, received_at, source_id, webhook_id, occurred_at, key_hash, body_hash, headers, body)
           ), fresh as (
               insert into event_key (key_hash, event_id, body_hash, received_at)
               select key_hash, id, body_hash, received_at from row where key_hash is not null
               order by key_hash
               on conflict do nothing
               returning event_id
           ), stored as (
               insert into event (id, received_at, source_id, webhook_id, occurred_at, key_hash, headers, body)
               select id, received_at, source_id, webhook_id, occurred_at, key_hash, headers, body
               from row where key_hash is null or id in (select event_id from fresh)
               returning id, received_at
           ), due as (
               insert into event_due (due_at, event_id, received_at) select received_at, id, received_at from stored
           ), told as (
               select pg_notify($10, $11) where $11 is not null and exists (select from stored)
           )
           select stored.id from stored left join told on true"#,
        &column(events, |event| event.id.0),
        &column(events, |event| event.received_at),
        &column(events, |event| event.source.0),
        &column(events, |event| event.webhook_id.as_deref()) as &[Option<&str>],
        &column(events, |event| event.occurred_at) as &[Option<DateTime<Utc>>],
        &column(events, |event| event.key.map(|key| key.key)) as &[Option<Uuid>],
        &column(events, |event| event.key.map(|key| key.body)) as &[Option<Uuid>],
        &column(events, |event| event.headers.as_str()) as &[&str],
        &column(events, |event| event.body.as_ref()) as &[&[u8]],
        crate::live::CHANNEL,
        announcement,
    )
    .fetch_all(conn)
    .await?;
    Ok(stored.into_iter().collect())
}

fn column<'e, T>(events: &[&'e NewEvent], of: impl Fn(&'e NewEvent) -> T) -> Vec<T> {
    events.iter().map(|event| of(event)).collect()
}

/// How many were received since then. Reads as many index entries, so it is for short times.
pub async fn received_since(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<u64> {
    let n = sqlx::query_scalar!(r#"select count(*) as "n!" from event where received_at > $1"#, since)
        .fetch_one(conn)
        .await?;
    Ok(u64::try_from(n).unwrap_or(0))
}
