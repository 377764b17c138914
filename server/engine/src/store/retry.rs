//! Trying many again. A row is also the work "let the next few go"; what becomes of each is written down where it ends.

use super::{delivery, event_end, failure, internal, word};
use chrono::{DateTime, Utc};
use model::{
    Actor, AttemptTrigger, BulkState, FailureKind, FailureQuery, NewRetry, Refusal, Retry, RetryError, RetryId,
    SourceId,
};
use sqlx::{PgConnection, Result};
use std::collections::HashSet;
use uuid::Uuid;

/// How many a second, unless somebody says otherwise.
pub const RATE: u32 = 1_000;
/// Most events that are tried again because a mapping changed; the newest.
const MOST_REMAPPED: i64 = 100_000;
/// Why one that was not let go is left out.
const NOTHING_TO_DO: &str = "It was done, or under way, already";

/// Adds one with everything retryable that matches now, and answers how many that are. One over nothing is done at once.
pub async fn create(
    conn: &mut PgConnection,
    id: RetryId,
    actor: &Actor,
    wish: &NewRetry,
    query: &FailureQuery,
    now: DateTime<Utc>,
) -> Result<i64, Refusal> {
    insert(conn, id, (actor, &actor.name), wish, now).await.map_err(internal)?;
    let total = failure::add_to_retry(conn, id, query).await?;
    begin(conn, id, total).await.map_err(internal)?;
    Ok(total)
}

/// Adds one with the events of a source that were not recognised or rest as failed, the newest first, for its mappings have
/// changed. Answers how many; with none there is no retry.
pub async fn create_for_mappings(
    conn: &mut PgConnection,
    id: RetryId,
    actor: &Actor,
    source: SourceId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<i64> {
    let filter = [("kind", FailureKind::Processing.code().to_owned()), ("source", source.to_string())];
    let filter = filter.into_iter().map(|(name, value)| (name.to_owned(), vec![value])).collect();
    let wish = NewRetry { filter: model::RetryFilter(model::BulkFilter(filter)), dry_run: false, rate: None };
    insert(conn, id, (actor, "Linewatch"), &wish, now).await?;
    let total = sqlx::query!(
        "insert into retry_item (retry_id, thing_id, kind, received_at)
         select $1, n.id, 'processing', n.received_at from event_end n
         where n.state in ('failed', 'unrecognised') and n.received_at >= $3
           and (select source_id from event where received_at = n.received_at and id = n.id limit 1) = $2
         order by n.received_at desc, n.id desc limit $4",
        id.0,
        source.0,
        since,
        MOST_REMAPPED,
    )
    .execute(&mut *conn)
    .await?;
    let total = i64::try_from(total.rows_affected()).unwrap_or(i64::MAX);
    if total == 0 {
        sqlx::query!("delete from retry where id = $1", id.0).execute(conn).await?;
    } else {
        begin(conn, id, total).await?;
    }
    Ok(total)
}

async fn insert(
    conn: &mut PgConnection,
    id: RetryId,
    (actor, by): (&Actor, &str),
    wish: &NewRetry,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into retry (id, wish, actor, by_name, state, rate, total, started_at) values ($1, $2, $3, $4, 'running', $5, 0, $6)",
        id.0,
        serde_json::json!(wish),
        serde_json::json!(actor),
        by,
        i32::try_from(wish.rate.unwrap_or(RATE)).unwrap_or(i32::MAX),
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}

async fn begin(conn: &mut PgConnection, id: RetryId, total: i64) -> Result<()> {
    sqlx::query!(
        "update retry set total = $2::int8, state = case when $2::int8 = 0 then 'done' else state end,
                ended_at = case when $2::int8 = 0 then started_at end, due_at = case when $2::int8 > 0 then started_at end
         where id = $1",
        id.0,
        total,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// One, with how far it has come, and its version.
pub async fn get(conn: &mut PgConnection, id: RetryId) -> Result<Option<(Retry, i64)>> {
    let row = sqlx::query!(
        r#"select wish, by_name, state, rate, total, started_at, ended_at, version,
                  (select count(*) from retry_item where retry_id = $1 and outcome = 'done') as "done!",
                  (select count(*) from retry_item where retry_id = $1 and outcome = 'failed') as "failed!",
                  (select count(*) from retry_item where retry_id = $1 and outcome = 'skipped') as "skipped!"
           from retry where id = $1"#,
        id.0,
    );
    let Some(row) = row.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let errors = sqlx::query_as!(
        RetryError,
        r#"select message as "message!", count(*) as "count!" from retry_item
           where retry_id = $1 and outcome = 'failed' and message is not null
           group by message order by count(*) desc, message limit 20"#,
        id.0,
    );
    let wish: NewRetry = serde_json::from_value(row.wish).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let retry = Retry {
        id: Some(id),
        state: Some(word(&row.state)?),
        filter: wish.filter,
        rate: row.rate.unsigned_abs(),
        total: row.total,
        done: row.done,
        failed: row.failed,
        skipped: row.skipped,
        remaining: row.total - row.done - row.failed - row.skipped,
        by: row.by_name,
        started_at: Some(row.started_at),
        ended_at: row.ended_at,
        errors: errors.fetch_all(conn).await?,
    };
    Ok(Some((retry, row.version)))
}

/// Pauses, resumes or cancels one that has not ended, and sets its pace. Answers whether there is such a one.
pub async fn change(
    conn: &mut PgConnection,
    id: RetryId,
    state: Option<BulkState>,
    rate: Option<u32>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update retry set state = coalesce($2, state), rate = coalesce($3, rate), version = version + 1,
                due_at = case coalesce($2, state) when 'running' then $4::timestamptz end,
                ended_at = case when $2 = 'cancelled' then $4::timestamptz end
         where id = $1 and state in ('running', 'paused')",
        id.0,
        state.map(|state| state.code()),
        rate.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)),
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// These tries, each of a retry and a thing, have ended: well, or why not. Called in the transaction that ends them.
pub async fn ended(
    conn: &mut PgConnection,
    ended: &[(Uuid, Uuid, Option<String>)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update retry_item i set outcome = case when n.why is null then 'done' else 'failed' end, message = n.why, ended_at = $4
         from unnest($1::uuid[], $2::uuid[], $3::text[]) as n (retry_id, thing_id, why)
         where i.retry_id = n.retry_id and i.thing_id = n.thing_id and i.outcome is null",
        &ended.iter().map(|(retry, ..)| *retry).collect::<Vec<_>>(),
        &ended.iter().map(|(_, thing, _)| *thing).collect::<Vec<_>>(),
        &ended.iter().map(|(.., why)| why.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// One that is due, held until the end of the transaction.
pub struct DueRetry {
    /// Which.
    pub id: RetryId,
    /// Who started it.
    pub by: String,
    /// How many a second.
    pub rate: u32,
    /// Since when the next few are due.
    pub due_at: DateTime<Utc>,
    /// How many were under way when it was last told how far it has come.
    pub under_way: i64,
}

/// Holds the one that is due longest until the end of the transaction; whoever else asks gets another. A step is one transaction,
/// so a process that ends in the middle has let nothing go.
pub async fn claim(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<DueRetry>> {
    let row = sqlx::query!(
        r#"select id, by_name, rate, due_at as "due_at!", under_way from retry
           where due_at <= $1 and state = 'running' order by due_at limit 1 for no key update skip locked"#,
        now,
    );
    Ok(row.fetch_optional(conn).await?.map(|row| DueRetry {
        id: RetryId(row.id),
        by: row.by_name,
        rate: row.rate.unsigned_abs(),
        due_at: row.due_at,
        under_way: row.under_way,
    }))
}

/// When the next few of any are due.
pub async fn next_due(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("select min(due_at) from retry where due_at is not null").fetch_one(conn).await
}

/// What was let go.
#[derive(Default)]
pub struct Released {
    /// Events.
    pub events: Vec<Uuid>,
    /// Deliveries.
    pub deliveries: Vec<Uuid>,
    /// How many were looked at.
    pub taken: usize,
}

/// Lets the next few go; those with which there is nothing to do are left out.
pub async fn release(conn: &mut PgConnection, due: &DueRetry, most: i64, now: DateTime<Utc>) -> Result<Released> {
    let rows = sqlx::query!(
        "update retry_item i set released_at = $3 from (
             select thing_id from retry_item where retry_id = $1 and outcome is null and released_at is null
             order by thing_id limit $2
         ) next where i.retry_id = $1 and i.thing_id = next.thing_id
         returning i.thing_id, i.kind, i.received_at",
        due.id.0,
        most,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    let of = |kind: FailureKind| -> Vec<_> {
        let some = rows.iter().filter(|row| row.kind == kind.code());
        some.map(|row| (row.thing_id, row.received_at)).collect()
    };
    let (events, deliveries) = (of(FailureKind::Processing), of(FailureKind::Delivery));
    let released = Released {
        events: event_end::release(conn, &events, &due.by, due.id.0, now).await?,
        deliveries: match deliveries.as_slice() {
            [] => Vec::new(),
            some => delivery::release(conn, some, AttemptTrigger::Bulk, &due.by, Some(due.id.0), now).await?,
        },
        taken: rows.len(),
    };
    let gone: HashSet<_> = released.events.iter().chain(&released.deliveries).collect();
    let left: Vec<_> = rows.iter().map(|row| row.thing_id).filter(|id| !gone.contains(id)).collect();
    if !left.is_empty() {
        sqlx::query!(
            "update retry_item set outcome = 'skipped', message = $3, ended_at = $4 where retry_id = $1 and thing_id = any($2)",
            due.id.0,
            &left,
            NOTHING_TO_DO,
            now,
        )
        .execute(conn)
        .await?;
    }
    Ok(released)
}

/// How far one has come.
pub struct Progress {
    /// Not let go yet.
    pub waits: bool,
    /// Let go and not ended.
    pub under_way: i64,
}

/// How far it has come by now.
pub async fn progress(conn: &mut PgConnection, id: RetryId) -> Result<Progress> {
    sqlx::query_as!(
        Progress,
        r#"select exists (select from retry_item where retry_id = $1 and outcome is null and released_at is null) as "waits!",
                  (select count(*) from retry_item where retry_id = $1 and outcome is null and released_at is not null) as "under_way!""#,
        id.0,
    )
    .fetch_one(conn)
    .await
}

/// Ends a step: when the next is due, or none when nothing is left, which ends it. Answers its version, which grows if it
/// `moved`.
pub async fn turn(
    conn: &mut PgConnection,
    id: RetryId,
    under_way: i64,
    moved: bool,
    next_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<i64> {
    sqlx::query_scalar!(
        "update retry set under_way = $2, version = version + $3::boolean::integer, due_at = $4,
                state = case when $4::timestamptz is null then 'done' else state end,
                ended_at = case when $4::timestamptz is null then $5::timestamptz end
         where id = $1 returning version",
        id.0,
        under_way,
        moved,
        next_at,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Drops those that ended before this; how many.
pub async fn delete_old(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    Ok(sqlx::query!("delete from retry where ended_at < $1", before).execute(conn).await?.rows_affected())
}
