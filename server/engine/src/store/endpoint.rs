//! Endpoints: settings, and what is due to them.

use super::retry;
use crate::relay::Target;
use chrono::{DateTime, Utc};
use model::{EndpointFilter, EndpointId, EndpointPatch, NewEndpoint};
use sqlx::{PgConnection, Result, types::Json};
use uuid::Uuid;

/// The endpoints that get events, switched on or not.
pub async fn targets(conn: &mut PgConnection) -> Result<Vec<Target>> {
    let rows = sqlx::query!(
        r#"select id, filter as "filter: Json<EndpointFilter>", ordered from endpoint where removed_at is null order by id"#
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    Ok(rows.map(|row| Target { id: EndpointId(row.id), filter: row.filter.0, ordered: row.ordered }).collect())
}

/// Every endpoint that ever was.
pub async fn ids(conn: &mut PgConnection) -> Result<Vec<EndpointId>> {
    let ids = sqlx::query_scalar!("select id from endpoint").fetch_all(conn).await?;
    Ok(ids.into_iter().map(EndpointId).collect())
}

/// Adds an endpoint. Fails with a unique violation when the name is taken.
pub async fn create(conn: &mut PgConnection, id: EndpointId, new: &NewEndpoint, now: DateTime<Utc>) -> Result<()> {
    let enabled = new.enabled.unwrap_or(true);
    sqlx::query!(
        "insert into endpoint (id, name, url, filter, ordered, enabled, disabled_at, concurrency, rate_per_second, owner,
                               created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        id.0,
        new.name,
        new.url,
        Json(&new.filter) as _,
        new.ordered,
        enabled,
        (!enabled).then_some(now),
        i16::try_from(new.concurrency.unwrap_or(10)).unwrap_or(10),
        new.rate_per_second.and_then(|rate| i32::try_from(rate).ok()),
        new.owner,
        now,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("insert into endpoint_lane (endpoint_id) values ($1)", id.0).execute(conn).await.map(drop)
}

/// Changes an endpoint; false if it was taken away, or is not in the version that was read.
pub async fn change(
    conn: &mut PgConnection,
    id: EndpointId,
    patch: &EndpointPatch,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update endpoint set name = coalesce($2, name), url = coalesce($3, url), filter = coalesce($4, filter),
                ordered = coalesce($5, ordered), enabled = coalesce($6, enabled),
                disabled_at = case when coalesce($6, enabled) then null else coalesce(disabled_at, $7) end,
                concurrency = coalesce($8, concurrency),
                rate_per_second = case when $9 then $10 else rate_per_second end,
                owner = case when $11 then $12 else owner end, version = version + 1, updated_at = $7
         where id = $1 and removed_at is null and ($13::bigint is null or version = $13)",
        id.0,
        patch.name,
        patch.url,
        patch.filter.as_ref().map(Json) as _,
        patch.ordered,
        patch.enabled,
        now,
        patch.concurrency.and_then(|most| i16::try_from(most).ok()),
        patch.rate_per_second.is_some(),
        patch.rate_per_second.flatten().and_then(|rate| i32::try_from(rate).ok()),
        patch.owner.is_some(),
        patch.owner.clone().flatten(),
        patch.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Another secret signs: lanes read them anew when the version grows.
pub async fn touch(conn: &mut PgConnection, id: EndpointId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update endpoint set version = version + 1, updated_at = $2 where id = $1", id.0, now)
        .execute(conn)
        .await
        .map(drop)
}

/// Since when an endpoint is switched off; held until the end of the transaction.
pub async fn disabled_at(conn: &mut PgConnection, id: EndpointId) -> Result<Option<DateTime<Utc>>> {
    let found = sqlx::query_scalar!("select disabled_at from endpoint where id = $1 for update", id.0);
    Ok(found.fetch_optional(conn).await?.flatten())
}

/// While an endpoint was switched off, the clock of its schedules stood still: what waits is moved by that time.
pub async fn move_schedules(
    conn: &mut PgConnection,
    id: EndpointId,
    disabled_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    // what came meanwhile begins now; the order in which it came stays
    sqlx::query!(
        "update delivery_due set begun_at = begun_at + ($3::timestamptz - greatest(begun_at, $2)),
                due_at = case when due_at > $2 then due_at + ($3::timestamptz - greatest(begun_at, $2)) else due_at end
         where endpoint_id = $1 and begun_at < $3",
        id.0,
        disabled_at,
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Whether each of a connection waits for the one before, of what is due already.
pub async fn set_order(conn: &mut PgConnection, id: EndpointId, ordered: bool) -> Result<()> {
    sqlx::query!(
        "update delivery_due set in_order = $2 where endpoint_id = $1 and connection_id is not null and in_order <> $2",
        id.0,
        ordered,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Takes an endpoint away, with what is due to it; false if it is not there.
pub async fn remove(conn: &mut PgConnection, id: EndpointId, now: DateTime<Utc>) -> Result<bool> {
    // its name is free again
    let done = sqlx::query!(
        "update endpoint set removed_at = $2, enabled = false, updated_at = $2, version = version + 1,
                name = left(name, 80) || ' (removed ' || to_char($2 at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ', ' || right(id::text, 12) || ')'
         where id = $1 and removed_at is null",
        id.0,
        now,
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    forget_due(conn, &[id.0], now).await?;
    Ok(true)
}

/// Forgets what is due to endpoints that were taken away; what had failed rests as failed.
async fn forget_due(conn: &mut PgConnection, ids: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    const WHY: &str = "The endpoint was taken away";
    let gone =
        sqlx::query!("delete from delivery_due where endpoint_id = any($1) returning delivery_id, retry_id", ids)
            .fetch_all(&mut *conn)
            .await?;
    let told = gone.iter().filter_map(|row| Some((row.retry_id?, row.delivery_id, Some(WHY.to_owned()))));
    retry::ended(conn, &told.collect::<Vec<_>>(), now).await?;
    sqlx::query!(
        "update delivery set state = 'failed', error_class = 'endpoint_removed', error_message = $2
         where endpoint_id = any($1) and failed_at is not null and state = 'pending'",
        ids,
        WHY,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Forgets what was made due to an endpoint at the very moment at which it was taken away.
pub async fn sweep_removed(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let stray = sqlx::query_scalar!(
        "select id from endpoint e where removed_at is not null
           and exists (select from delivery_due d where d.endpoint_id = e.id)"
    );
    let stray = stray.fetch_all(&mut *conn).await?;
    if stray.is_empty() { Ok(()) } else { forget_due(conn, &stray, now).await }
}

/// Which of the ids in a filter do not exist, as what is wrong with the filter.
pub async fn unknown(conn: &mut PgConnection, filter: &EndpointFilter) -> Result<Vec<String>> {
    let row = sqlx::query!(
        r#"select array(select w::text from unnest($1::uuid[]) w where not exists (select from source where id = w)) as "sources!",
                  array(select w from unnest($2::text[]) w where not exists (select from platform where slug = w)) as "platforms!",
                  array(select w::text from unnest($3::uuid[]) w where not exists (select from customer where id = w)) as "customers!""#,
        &filter.sources.iter().map(|id| id.0).collect::<Vec<_>>(),
        &filter.platforms,
        &filter.customers.iter().map(|id| id.0).collect::<Vec<_>>(),
    )
    .fetch_one(conn)
    .await?;
    let said = |what: &str, ids: Vec<String>| {
        ids.into_iter().map(move |id| format!("there is no {what} “{id}”")).collect::<Vec<_>>()
    };
    Ok([said("source", row.sources), said("platform", row.platforms), said("customer", row.customers)].concat())
}
