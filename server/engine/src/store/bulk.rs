//! Doing one thing with many connections. A row is also the work "do the next few".

use super::{bulk_undo, connection_list, word};
use chrono::{DateTime, Utc};
use model::{
    Actor, Bulk, BulkFailure, BulkId, BulkKind, BulkState, ConnectionId, ConnectionQuery, ConnectionRef, NewBulk,
};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// How many connections match; `ids` empty: whatever the query says.
pub async fn count(conn: &mut PgConnection, query: &ConnectionQuery, ids: &[Uuid]) -> Result<i64> {
    let mut sql = connection_list::matching("select count(*)", query, ids);
    sql.build_query_scalar().fetch_one(conn).await
}

/// Adds one with everything that matches now, and answers how many that are. One over nothing is done at once.
pub async fn create(
    conn: &mut PgConnection,
    id: BulkId,
    actor: &Actor,
    new: &NewBulk,
    (query, ids): (&ConnectionQuery, &[Uuid]),
    now: DateTime<Utc>,
) -> Result<i64> {
    sqlx::query!(
        "insert into bulk (id, kind, wish, state, by_name, total, started_at, due_at, actor) values ($1, $2, $3, 'running', $4, 0, $5, $5, $6)",
        id.0,
        new.kind.code(),
        serde_json::json!(new),
        actor.name,
        now,
        serde_json::json!(actor)
    )
    .execute(&mut *conn)
    .await?;
    let mut sql = sqlx::QueryBuilder::new("insert into bulk_item (bulk_id, connection_id) ");
    connection_list::push_matching(&mut sql, &format!("select '{}'::uuid, c.id", id.0), query, ids);
    let total = i64::try_from(sql.build().execute(&mut *conn).await?.rows_affected()).unwrap_or(i64::MAX);
    sqlx::query!(
        "update bulk set total = $2::int8, state = case when $2::int8 = 0 then 'done' else state end, \
         ended_at = case when $2::int8 = 0 then started_at end, due_at = case when $2::int8 = 0 then null else due_at end where id = $1",
        id.0,
        total
    )
    .execute(conn)
    .await?;
    Ok(total)
}

/// One, with how far it has come.
pub async fn get(conn: &mut PgConnection, id: BulkId) -> Result<Option<(Bulk, i64)>> {
    let row =
        sqlx::query!("select kind, state, by_name, total, started_at, ended_at, version from bulk where id = $1", id.0)
            .fetch_optional(&mut *conn)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let counts = sqlx::query!(
        "select count(*) filter (where outcome = 'done') as \"done!\", count(*) filter (where outcome = 'failed') as \"failed!\", \
         count(*) filter (where outcome = 'skipped') as \"skipped!\", count(*) filter (where outcome is null) as \"remaining!\" \
         from bulk_item where bulk_id = $1",
        id.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let failures = sqlx::query!(
        "select i.connection_id, c.name, i.message from bulk_item i join connection c on c.id = i.connection_id \
         where i.bulk_id = $1 and i.outcome = 'failed' order by i.ended_at desc, i.connection_id limit 100",
        id.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let failures = failures.into_iter().map(|row| BulkFailure {
        connection: ConnectionRef { id: ConnectionId(row.connection_id), name: row.name },
        message: row.message.unwrap_or_default(),
    });
    let bulk = Bulk {
        id: Some(id),
        kind: word(&row.kind)?,
        state: Some(word(&row.state)?),
        total: row.total,
        done: counts.done,
        failed: counts.failed,
        skipped: counts.skipped,
        remaining: counts.remaining,
        by: row.by_name,
        started_at: Some(row.started_at),
        ended_at: row.ended_at,
        failures: failures.collect(),
        undo_until: None,
        undone: None,
    };
    Ok(Some((bulk_undo::told(conn, bulk).await?, row.version)))
}

/// Pauses, resumes or cancels one that has not ended. Answers the new version; none if there is no such one.
pub async fn turn(conn: &mut PgConnection, id: BulkId, to: BulkState, now: DateTime<Utc>) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        "update bulk set state = $2::text, due_at = case when $2::text = 'running' then $3::timestamptz end, \
         ended_at = case when $2::text = 'cancelled' then $3::timestamptz end, version = version + 1 \
         where id = $1 and state in ('running', 'paused') returning version",
        id.0,
        to.code(),
        now
    )
    .fetch_optional(conn)
    .await
}

/// One that is due, under a lease.
pub struct DueBulk {
    /// Which.
    pub id: BulkId,
    /// What is done.
    pub kind: BulkKind,
    /// As it was asked.
    pub wish: NewBulk,
    /// On whose behalf.
    pub actor: Actor,
    /// Proves that the lease is still ours.
    pub lease_token: Uuid,
}

/// Leases the one that is due longest.
pub async fn lease(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    token: Uuid,
) -> Result<Option<DueBulk>> {
    let row = sqlx::query!(
        "update bulk set lease_until = $2, lease_token = $3 where id = (select id from bulk where due_at <= $1 \
           and state = 'running' and (lease_until is null or lease_until < $1) order by due_at limit 1 for update skip locked) \
         returning id, kind, wish, actor",
        now,
        until,
        token
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let damaged = |error: serde_json::Error| sqlx::Error::Decode(error.into());
        Ok(DueBulk {
            id: BulkId(row.id),
            kind: word(&row.kind)?,
            wish: serde_json::from_value(row.wish).map_err(damaged)?,
            actor: serde_json::from_value(row.actor).map_err(damaged)?,
            lease_token: token,
        })
    })
    .transpose()
}

/// The next that wait, with the sources they are seen through.
pub async fn waiting(conn: &mut PgConnection, id: BulkId, limit: i64) -> Result<Vec<(ConnectionId, Uuid)>> {
    let rows = sqlx::query!(
        "select i.connection_id, c.source_id from bulk_item i join connection c on c.id = i.connection_id \
         where i.bulk_id = $1 and i.outcome is null order by i.connection_id limit $2",
        id.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (ConnectionId(row.connection_id), row.source_id)).collect())
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not, and why.
    Failed(String),
    /// There was nothing to do, and why.
    Skipped(String),
}

impl Outcome {
    fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Done => ("done", None),
            Self::Failed(why) => ("failed", Some(why)),
            Self::Skipped(why) => ("skipped", Some(why)),
        }
    }
}

/// Writes down what became of some, and gives the lease back: the next few are due then. One that has none left is done, unless
/// it was cancelled. Answers the new version; none if the lease was no longer ours, and nothing may be committed.
pub async fn finish(
    conn: &mut PgConnection,
    bulk: &DueBulk,
    outcomes: &HashMap<ConnectionId, Outcome>,
    now: DateTime<Utc>,
    next_at: DateTime<Utc>,
) -> Result<Option<i64>> {
    let (ids, parts): (Vec<Uuid>, Vec<_>) = outcomes.iter().map(|(id, outcome)| (id.0, outcome.parts())).unzip();
    sqlx::query!(
        "update bulk_item i set outcome = n.outcome, message = n.message, ended_at = $4 \
         from unnest($2::uuid[], $3::text[], $5::text[]) as n (id, outcome, message) \
         where i.bulk_id = $1 and i.connection_id = n.id and i.outcome is null",
        bulk.id.0,
        &ids,
        &parts.iter().map(|(word, _)| (*word).to_owned()).collect::<Vec<_>>(),
        now,
        &parts.iter().map(|(_, why)| why.map(str::to_owned)).collect::<Vec<_>>() as &[Option<String>]
    )
    .execute(&mut *conn)
    .await?;
    let left = sqlx::query_scalar!(
        "select exists (select from bulk_item where bulk_id = $1 and outcome is null) as \"left!\"",
        bulk.id.0
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        "update bulk set lease_until = null, lease_token = null, version = version + 1, \
         due_at = case when state = 'running' and $3 then $4::timestamptz end, \
         ended_at = case when state = 'cancelled' or $3 then ended_at else $5 end, \
         state = case when state = 'cancelled' or $3 then state else 'done' end \
         where id = $1 and lease_token = $2 returning version",
        bulk.id.0,
        bulk.lease_token,
        left,
        next_at,
        now
    )
    .fetch_optional(conn)
    .await
}

/// Acknowledges the open issues of these connections, and answers which had one. What was before is kept for [`bulk_undo`].
pub async fn acknowledge(
    conn: &mut PgConnection,
    bulk: BulkId,
    ids: &[Uuid],
    by: &str,
    now: DateTime<Utc>,
    entry_ids: &[Uuid],
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "with mine as (select id, assignee, row_number() over (order by id) as n from ( \
             select id, assignee from issue where connection_id = any($1) and state = 'open' order by id for update) locked), \
         taken as (update issue i set state = 'acknowledged', assignee = coalesce(i.assignee, $2), version = version + 1, \
             updated_at = $3 from mine where i.id = mine.id returning i.id, i.connection_id, i.version, mine.assignee as was, mine.n), \
         kept as (insert into bulk_issue (bulk_id, issue_id, version, state, assignee) \
             select $5::uuid, id, version, 'open', was from taken), \
         told as (insert into issue_entry (id, issue_id, at, kind, by_name, text, version) \
             select ($4::uuid[])[n], id, $3, 'acknowledged', $2, 'Acknowledged together with others', version from taken \
             where n <= cardinality($4)) \
         select distinct connection_id as \"id!\" from taken",
        ids,
        by,
        now,
        entry_ids,
        bulk.0
    )
    .fetch_all(conn)
    .await
}

/// Gives the live issues of these connections to somebody, or takes them from whoever has them; answers which had one. Those
/// that are with that person already stay as they are.
pub async fn assign(
    conn: &mut PgConnection,
    bulk: BulkId,
    ids: &[Uuid],
    (by, to): (&str, Option<&str>),
    now: DateTime<Utc>,
    entry_ids: &[Uuid],
) -> Result<Vec<Uuid>> {
    let text = to.map_or_else(|| "To nobody".to_owned(), |to| format!("To {to}"));
    sqlx::query_scalar!(
        "with mine as (select id, assignee, row_number() over (order by id) as n from ( \
             select id, assignee from issue where connection_id = any($1) and state <> 'resolved' and assignee is distinct from $5 \
             order by id for update) locked), \
         given as (update issue i set assignee = $5, version = version + 1, updated_at = $3 \
             from mine where i.id = mine.id \
             returning i.id, i.connection_id, i.version, i.state, i.snooze_until, i.outage_id, mine.assignee as was, mine.n), \
         kept as (insert into bulk_issue (bulk_id, issue_id, version, state, assignee, snooze_until, outage_id) \
             select $7::uuid, id, version, state, was, snooze_until, outage_id from given), \
         told as (insert into issue_entry (id, issue_id, at, kind, by_name, text, version) \
             select ($4::uuid[])[n], id, $3, 'assigned', $2, $6, version from given where n <= cardinality($4)) \
         select distinct connection_id as \"id!\" from given",
        ids,
        by,
        now,
        entry_ids,
        to,
        text,
        bulk.0
    )
    .fetch_all(conn)
    .await
}

/// How many issues of these connections could be changed at once.
pub async fn live_issues(conn: &mut PgConnection, ids: &[Uuid]) -> Result<i64> {
    sqlx::query_scalar!(
        "select count(*) as \"n!\" from issue where connection_id = any($1) and state <> 'resolved'",
        ids
    )
    .fetch_one(conn)
    .await
}
