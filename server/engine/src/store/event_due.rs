//! Events that wait to be processed: claimed within a transaction or leased, and back again. A row goes when its event has its
//! end: see [`super::event_end`].

use chrono::{DateTime, TimeDelta, Utc};
use model::{AttemptTrigger, EventId, SourceId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// An event whose turn it is.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The event.
    pub id: EventId,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// Tries that failed in a row before this one. A lease that ran out counts: what kills its worker is given up some day.
    pub attempt: i32,
    /// Tries recorded in all.
    pub earlier: u32,
    /// Whose lease it was or is; none for what nobody has leased since it was due.
    pub lease_token: Option<Uuid>,
    /// Which endpoints there are: see [`crate::relay::FanOut`]. It costs no statement to tell it along.
    pub endpoints: i64,
    /// Who asked for this try.
    pub by: Option<String>,
    /// The bulk retry that waits for the end of this try.
    pub retry: Option<Uuid>,
    /// Where its row lies, for as long as it is held.
    row: String,
}

impl Turn {
    /// What causes this try, as it is written on its row; nobody asks for the first, nor for what the schedule tries.
    pub fn trigger(&self) -> AttemptTrigger {
        match (&self.retry, &self.by, self.earlier, self.attempt) {
            (Some(_), ..) => AttemptTrigger::Bulk,
            (None, Some(_), ..) => AttemptTrigger::Person,
            (None, None, 0, 0) => AttemptTrigger::Arrival,
            _ => AttemptTrigger::Schedule,
        }
    }
}

/// Holds events that are due until the end of the transaction, in the order in which they came; whoever else asks gets others.
/// Writes nothing: after a crash they are due at once.
pub async fn claim(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> sqlx::Result<Vec<Turn>> {
    let rows = sqlx::query!(
        r#"select event_id, received_at, attempt, tries, lease_token, by_name, retry_id, ctid::text as "row!",
                  (select coalesce(sum(version), 0)::bigint from endpoint) as "endpoints!" from event_due
           where due_at <= $1 and (lease_until is null or lease_until <= $1)
           order by due_at, event_id limit $2
           for update skip locked"#,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let turns = rows.into_iter().map(|row| Turn {
        id: EventId(row.event_id),
        received_at: row.received_at,
        attempt: row.attempt,
        earlier: u32::try_from(row.tries).unwrap_or(0),
        lease_token: row.lease_token,
        endpoints: row.endpoints,
        by: row.by_name,
        retry: row.retry_id,
        row: row.row,
    });
    Ok(turns.collect())
}

/// Leases events that are due, in the order in which they came; whoever else asks gets others. Committed, it is remembered of
/// an event that it was tried, even if that ends the process.
pub async fn lease(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease_for: TimeDelta,
    limit: i64,
) -> sqlx::Result<Vec<Turn>> {
    let token = crate::clock::new_id();
    let rows = sqlx::query!(
        r#"with held as materialized (
               select ctid as row from event_due
               where due_at <= $1 and (lease_until is null or lease_until <= $1)
               order by due_at, event_id limit $2
               for update skip locked
           )
           update event_due set lease_until = $3, lease_token = $4, attempt = attempt + (lease_token is not null)::integer
           from held where event_due.ctid = held.row
           returning event_id, received_at, attempt, tries, by_name, retry_id, event_due.ctid::text as "row!",
                     (select coalesce(sum(version), 0)::bigint from endpoint) as "endpoints!""#,
        now,
        limit,
        now + lease_for,
        token,
    )
    .fetch_all(conn)
    .await?;
    let turn = rows.into_iter().map(|row| Turn {
        id: EventId(row.event_id),
        received_at: row.received_at,
        attempt: row.attempt,
        earlier: u32::try_from(row.tries).unwrap_or(0),
        lease_token: Some(token),
        endpoints: row.endpoints,
        by: row.by_name,
        retry: row.retry_id,
        row: row.row,
    });
    let mut turns: Vec<_> = turn.collect();
    turns.sort_unstable_by_key(|turn| (turn.received_at, turn.id));
    Ok(turns)
}

/// Ends turns that were claimed in this transaction, or leased together. Answers how many rows that were: fewer than given means
/// that some lease was lost meanwhile, and its event is somebody else's.
pub async fn end(conn: &mut PgConnection, turns: &[&Turn]) -> sqlx::Result<u64> {
    // A claimed row is held, and so lies where it lay. Elsewhere another may lie there by now, but none under this lease.
    let done = sqlx::query!(
        "delete from event_due where ctid = any($1::text[]::tid[]) and lease_token is not distinct from $2",
        &turns.iter().map(|turn| turn.row.as_str()).collect::<Vec<_>>() as &[&str],
        turns.first().and_then(|turn| turn.lease_token),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// An event that is due again later.
pub(super) struct Again {
    pub id: EventId,
    pub received_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    /// Tries recorded by now.
    pub tries: i32,
    /// Failures in a row by now.
    pub attempt: i32,
    /// Who asks for it, unless the schedule does.
    pub by: Option<String>,
}

/// Makes events due.
pub(super) async fn add(conn: &mut PgConnection, again: &[Again]) -> sqlx::Result<()> {
    if again.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into event_due (due_at, event_id, received_at, tries, attempt, by_name)
         select * from unnest($1::timestamptz[], $2::uuid[], $3::timestamptz[], $4::integer[], $5::integer[], $6::text[])",
        &again.iter().map(|again| again.due_at).collect::<Vec<_>>(),
        &again.iter().map(|again| again.id.0).collect::<Vec<_>>(),
        &again.iter().map(|again| again.received_at).collect::<Vec<_>>(),
        &again.iter().map(|again| again.tries).collect::<Vec<_>>(),
        &again.iter().map(|again| again.attempt).collect::<Vec<_>>(),
        &again.iter().map(|again| again.by.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes a try due now that the schedule has for later, because somebody asks for it; its schedule begins anew. False if there
/// is none, or it is under way.
pub(super) async fn hasten(conn: &mut PgConnection, id: EventId, by: &str, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with held as materialized (
             select ctid as row from event_due
             where event_id = $1 and tries > 0 and due_at > $3 and retry_id is null
               and (lease_until is null or lease_until <= $3)
             for update skip locked
         )
         update event_due set due_at = $3, by_name = $2, attempt = 0, lease_until = null, lease_token = null
         from held where event_due.ctid = held.row",
        id.0,
        by,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What came, as far as processing needs it.
#[derive(Clone, Debug)]
pub struct Came {
    /// Its source.
    pub source_id: SourceId,
    /// The headers that were kept.
    pub headers: HeaderMap,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Reads what came, of each of these turns.
pub async fn read(conn: &mut PgConnection, turns: &[Turn]) -> sqlx::Result<HashMap<EventId, Came>> {
    let (Some(first), Some(last)) =
        (turns.iter().map(|turn| turn.received_at).min(), turns.iter().map(|turn| turn.received_at).max())
    else {
        return Ok(HashMap::new());
    };
    // the bounds spare Postgres the partitions of other days; the limit, plans that read a whole one
    let rows = sqlx::query!(
        "select event.id, event.source_id, event.headers, event.body
         from unnest($1::uuid[], $2::timestamptz[]) as turn (id, received_at)
         cross join lateral (
             select id, source_id, headers, body from event
             where received_at = turn.received_at and id = turn.id and received_at between $3 and $4 limit 1
         ) as event",
        &turns.iter().map(|turn| turn.id.0).collect::<Vec<_>>(),
        &turns.iter().map(|turn| turn.received_at).collect::<Vec<_>>(),
        first,
        last,
    )
    .fetch_all(conn)
    .await?;
    let came = rows.into_iter().map(|row| {
        let headers = read_headers(&row.headers);
        (EventId(row.id), Came { source_id: SourceId(row.source_id), headers, body: row.body })
    });
    Ok(came.collect())
}

fn read_headers(kept: &str) -> HeaderMap {
    let pairs = pairs(kept).into_iter();
    pairs
        .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?)))
        .collect()
}

/// The headers that were kept, in their order.
pub(super) fn pairs(kept: &str) -> Vec<(String, String)> {
    serde_json::from_str(kept).unwrap_or_default()
}

/// Gives back every lease; they still count as tries.
pub(super) async fn release(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("update event_due set lease_until = null where lease_until is not null").execute(conn).await?;
    Ok(())
}

/// Events that wait to be processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many; counted to 100,000.
    pub count: i64,
    /// Since when the oldest has been due; none when there is none.
    pub oldest: Option<DateTime<Utc>>,
}

/// Since when the oldest event has been due that waits to be processed; none when there is none.
pub async fn oldest(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("select min(due_at) from event_due where due_at <= $1", now).fetch_one(conn).await
}

/// What waits to be processed by now.
pub async fn backlog(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"select (select count(*) from (select from event_due where due_at <= $1 limit 100000) as counted) as "count!",
                  (select min(due_at) from event_due where due_at <= $1) as oldest"#,
        now,
    )
    .fetch_one(conn)
    .await
}
