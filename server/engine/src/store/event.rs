//! Webhooks as they came: taken in batches, leased, finished. Asking about them is in [`super::event_list`].

pub use super::event_list::{get, list};

use super::event_key::Hash;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Attempt, AttemptTrigger, ConnectionId, EventId, EventState, SourceId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// What makes an event unique at its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The SHA-256 of its id, or of its bytes when it has a time but no id.
    pub key: Hash,
    /// The SHA-256 of its bytes.
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
    /// What becomes of it; what is pending is due at once.
    pub state: EventState,
}

/// Stores events whose keys are new, and announces them if there are any. Answers which were stored; the others came before.
///
/// One statement and so one transaction and one way to Postgres and back: this is what every webhook waits for. Keys go
/// first, sorted, so that two processes never wait for each other in a ring; keys that are being inserted elsewhere are waited for.
pub async fn insert(
    conn: &mut PgConnection,
    events: &[&NewEvent],
    announcement: Option<&str>,
) -> sqlx::Result<HashSet<Uuid>> {
    let due_at = |event: &NewEvent| (event.state == EventState::Pending).then_some(event.received_at);
    let stored = sqlx::query_scalar!(
        r#"with row as (
               select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::timestamptz[], $6::bytea[],
                                    $7::bytea[], $8::text[], $9::bytea[], $10::text[], $11::timestamptz[])
                    as row (id, received_at, source_id, webhook_id, occurred_at, key_hash,
                            body_hash, headers, body, state, due_at)
           ), fresh as (
               insert into event_key (source_id, key_hash, event_id, body_hash, received_at)
               select source_id, key_hash, id, body_hash, received_at from row where key_hash is not null
               order by source_id, key_hash
               on conflict do nothing
               returning event_id
           ), stored as (
               insert into event (id, received_at, source_id, webhook_id, occurred_at, key_hash, headers, body, state, due_at)
               select id, received_at, source_id, webhook_id, occurred_at, key_hash, headers::jsonb, body, state, due_at
               from row where key_hash is null or id in (select event_id from fresh)
               returning id
           ), told as (
               select pg_notify($12, $13) where $13 is not null and exists (select from stored)
           )
           select stored.id from stored left join told on true"#,
        &column(events, |event| event.id.0),
        &column(events, |event| event.received_at),
        &column(events, |event| event.source.0),
        &column(events, |event| event.webhook_id.as_deref()) as &[Option<&str>],
        &column(events, |event| event.occurred_at) as &[Option<DateTime<Utc>>],
        &column(events, |event| event.key.as_ref().map(|key| key.key.as_slice())) as &[Option<&[u8]>],
        &column(events, |event| event.key.as_ref().map(|key| key.body.as_slice())) as &[Option<&[u8]>],
        &column(events, |event| event.headers.as_str()) as &[&str],
        &column(events, |event| event.body.as_ref()) as &[&[u8]],
        &column(events, |event| event.state.code()) as &[&str],
        &column(events, due_at) as &[Option<DateTime<Utc>>],
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

/// An event to process.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its id.
    pub id: EventId,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// Its source.
    pub source_id: SourceId,
    /// Its bytes.
    pub body: Vec<u8>,
    /// The headers that were kept.
    pub headers: HeaderMap,
    /// Tries that failed in a row before this one. A lease that ran out counts: what kills its worker is given up some day.
    pub attempt: i32,
    /// Tries recorded in all.
    pub earlier: u32,
    /// To be shown when it is finished.
    pub lease_token: Uuid,
    /// Its row in `event_key`.
    pub key_hash: Option<Vec<u8>>,
    /// Upstream's id for it.
    pub webhook_id: Option<String>,
    /// Its own time, as the door read it.
    pub occurred_at: Option<DateTime<Utc>>,
}

impl Leased {
    /// What causes this try: a person puts the failures in a row back to none, the schedule does not.
    pub fn trigger(&self) -> AttemptTrigger {
        match (self.earlier, self.attempt) {
            (0, 0) => AttemptTrigger::Arrival,
            (_, 0) => AttemptTrigger::Person,
            _ => AttemptTrigger::Schedule,
        }
    }
}

/// Leases events that are due, in the order in which they came; whoever else asks gets others.
pub async fn lease_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease_for: TimeDelta,
    limit: i64,
) -> sqlx::Result<Vec<Leased>> {
    let token = crate::clock::new_id();
    let rows = sqlx::query!(
        r#"with due as materialized (
               select id, received_at from event
               where due_at <= $1 and (lease_until is null or lease_until <= $1)
               order by due_at limit $2
               for update skip locked
           )
           update event set lease_until = $3, lease_token = $4, attempt = attempt + (lease_token is not null)::integer
           from due where event.received_at = due.received_at and event.id = due.id
           returning event.id, event.received_at, source_id, body, headers, attempt, key_hash, webhook_id, occurred_at,
                     jsonb_array_length(attempts) as "earlier!""#,
        now,
        limit,
        now + lease_for,
        token,
    )
    .fetch_all(conn)
    .await?;
    let mut leased: Vec<_> = rows
        .into_iter()
        .map(|row| Leased {
            id: EventId(row.id),
            received_at: row.received_at,
            source_id: SourceId(row.source_id),
            body: row.body,
            headers: read_headers(row.headers),
            attempt: row.attempt,
            earlier: u32::try_from(row.earlier).unwrap_or(0),
            lease_token: token,
            key_hash: row.key_hash,
            webhook_id: row.webhook_id,
            occurred_at: row.occurred_at,
        })
        .collect();
    leased.sort_unstable_by_key(|event| (event.received_at, event.id));
    Ok(leased)
}

fn read_headers(kept: serde_json::Value) -> HeaderMap {
    pairs(kept)
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?)))
        .collect()
}

/// The headers that were kept, in their order.
pub(super) fn pairs(kept: serde_json::Value) -> Vec<(String, String)> {
    serde_json::from_value(kept).unwrap_or_default()
}

/// What became of a leased event.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its id.
    pub id: EventId,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// The lease under which the work was done.
    pub lease_token: Uuid,
    /// What became of it.
    pub state: EventState,
    /// Its kind, as upstream names it; none leaves what is there.
    pub kind: Option<String>,
    /// The connection it is about; none leaves what is there.
    pub connection_id: Option<ConnectionId>,
    /// The try, to be added to the others.
    pub attempts_append: Attempt,
    /// When to try again; none: nothing more is to be done.
    pub due_at: Option<DateTime<Utc>>,
    /// Tries that failed in a row by now.
    pub attempt: i32,
}

/// Writes what became of events and ends their leases. Answers how many rows that were: fewer than given means that some
/// lease was lost meanwhile, and its event is somebody else's.
pub async fn finish(conn: &mut PgConnection, finished: &[Finished]) -> sqlx::Result<u64> {
    let (Some(first), Some(last)) =
        (finished.iter().map(|event| event.received_at).min(), finished.iter().map(|event| event.received_at).max())
    else {
        return Ok(0);
    };
    let attempts = finished.iter().map(|event| serde_json::to_value([&event.attempts_append]));
    let attempts = attempts.collect::<Result<Vec<_>, _>>().map_err(|error| sqlx::Error::Encode(error.into()))?;
    // the bounds spare Postgres the partitions of other days
    let done = sqlx::query!(
        "update event
         set state = done.state, kind = coalesce(done.kind, event.kind),
             connection_id = coalesce(done.connection_id, event.connection_id), attempts = event.attempts || done.attempts,
             due_at = done.due_at, attempt = done.attempt, lease_until = null, lease_token = null
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::jsonb[],
                     $8::timestamptz[], $9::integer[])
              as done (id, received_at, lease_token, state, kind, connection_id, attempts, due_at, attempt)
         where event.received_at = done.received_at and event.id = done.id and event.lease_token = done.lease_token
           and event.received_at between $10 and $11",
        &finished.iter().map(|event| event.id.0).collect::<Vec<_>>(),
        &finished.iter().map(|event| event.received_at).collect::<Vec<_>>(),
        &finished.iter().map(|event| event.lease_token).collect::<Vec<_>>(),
        &finished.iter().map(|event| event.state.code()).collect::<Vec<_>>() as &[&str],
        &finished.iter().map(|event| event.kind.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &finished.iter().map(|event| event.connection_id.map(|id| id.0)).collect::<Vec<_>>() as &[Option<Uuid>],
        &attempts,
        &finished.iter().map(|event| event.due_at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &finished.iter().map(|event| event.attempt).collect::<Vec<_>>(),
        first,
        last,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Makes an event due again that failed or was not recognised; false if it is neither, or is not there.
pub async fn requeue(conn: &mut PgConnection, id: EventId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update event set state = 'pending', due_at = $2, attempt = 0, lease_until = null, lease_token = null
         where id = $1 and state in ('failed', 'unrecognised')",
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Events that wait to be processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many; counted to 100,000.
    pub count: i64,
    /// Since when the oldest has been due; none when there is none.
    pub oldest: Option<DateTime<Utc>>,
}

/// What waits to be processed by now.
pub async fn backlog(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"select (select count(*) from (select from event where due_at <= $1 limit 100000) as counted) as "count!",
                  (select min(due_at) from event where due_at <= $1) as oldest"#,
        now,
    )
    .fetch_one(conn)
    .await
}

/// How many were received since then. Reads as many index entries, so it is for short times.
pub async fn received_since(conn: &mut PgConnection, since: DateTime<Utc>) -> sqlx::Result<u64> {
    let n = sqlx::query_scalar!(r#"select count(*) as "n!" from event where received_at > $1"#, since)
        .fetch_one(conn)
        .await?;
    Ok(u64::try_from(n).unwrap_or(0))
}
