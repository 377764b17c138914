//! Trying many again. A row is also the work "let the next few go"; what becomes of each is written down where it ends.

mod step;

pub use step::{DueRetry, Progress, Released, claim, next_due, progress, release, turn};

use super::{failure, internal, notification_again, word};
use chrono::{DateTime, Utc};
use model::{Actor, BulkState, FailureKind, FailureQuery, NewRetry, Refusal, Retry, RetryError, RetryId, SourceId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// How many a second, unless somebody says otherwise.
pub const RATE: u32 = 1_000;
/// Most events that are tried again because a mapping changed; the newest.
const MOST_REMAPPED: i64 = 100_000;

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
    notification_again::wake_channels(conn, id).await.map_err(internal)?;
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
                  i.done as "done!", i.failed as "failed!", i.skipped as "skipped!", i.let_go as "let_go!"
           from retry, (select count(*) filter (where outcome = 'done') as done, count(*) filter (where outcome = 'failed') as failed,
                               count(*) filter (where outcome = 'skipped') as skipped,
                               count(*) filter (where released_at is not null and outcome is distinct from 'skipped') as let_go
                        from retry_item where retry_id = $1) i
           where id = $1"#,
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
        let_go: row.let_go,
        remaining: row.total - row.done - row.failed - row.skipped,
        by: row.by_name,
        started_at: Some(row.started_at),
        ended_at: row.ended_at,
        errors: errors.fetch_all(conn).await?,
    };
    Ok(Some((retry, row.version)))
}

/// Pauses, resumes or cancels one that has not ended, and sets its pace. Answers whether there is such a one. It waits for a step
/// that holds the retry, and holds it itself until it is committed: what is let go by then is all that is.
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

/// Drops those that ended before this; how many.
pub async fn delete_old(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    Ok(sqlx::query!("delete from retry where ended_at < $1", before).execute(conn).await?.rows_affected())
}
