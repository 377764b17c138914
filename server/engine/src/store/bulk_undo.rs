//! What was changed on many issues at once, as it was before, so that it can be taken back.

use super::word;
use crate::store::issue::Kept;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Actor, Bulk, BulkId, BulkKind, BulkState, BulkUndone, IssueId, IssueState, NewBulk, OutageId};
use sqlx::{PgConnection, Result};
use std::collections::HashSet;
use uuid::Uuid;

/// It can be taken back for so long after it ended.
pub const UNDO_LASTS: TimeDelta = TimeDelta::hours(1);

/// An issue before it was changed together with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Which.
    pub issue: IssueId,
    /// Its version after the change.
    pub version: i64,
    /// Where it stood.
    pub state: IssueState,
    /// Who had it.
    pub assignee: Option<String>,
    /// When it would have woken.
    pub snooze_until: Option<DateTime<Utc>>,
    /// The outage it was, or was folded into.
    pub outage: Option<OutageId>,
}

impl Before {
    /// An issue as it is now, which becomes this version.
    pub fn of(kept: &Kept, version: i64) -> Self {
        Self {
            issue: kept.id,
            version,
            state: kept.standing.state,
            assignee: kept.assignee.clone(),
            snooze_until: kept.standing.snooze_until,
            outage: kept.outage,
        }
    }
}

/// Says until when it can be taken back, and what came of it if somebody did.
pub(super) async fn told(conn: &mut PgConnection, bulk: Bulk) -> Result<Bulk> {
    let Some(id) = bulk.id.filter(|_| matches!(bulk.kind, BulkKind::Acknowledge | BulkKind::Assign)) else {
        return Ok(bulk);
    };
    let row = sqlx::query!(
        "select b.undone_at, b.undone_by, count(i.issue_id) as \"changed!\", count(*) filter (where i.put_back) as \"put_back!\", \
         count(*) filter (where not i.put_back) as \"left!\" \
         from bulk b left join bulk_issue i on i.bulk_id = b.id where b.id = $1 group by b.id",
        id.0
    )
    .fetch_one(conn)
    .await?;
    let by = row.undone_by.unwrap_or_default();
    let undone = row.undone_at.map(|at| BulkUndone { put_back: row.put_back, left: row.left, by, at });
    let ended = bulk.ended_at.filter(|_| undone.is_none() && row.changed > 0);
    Ok(Bulk { undo_until: ended.map(|at| at + UNDO_LASTS), undone, ..bulk })
}

/// Whether a worker may still be writing what it changes, under a lock that keeps others from taking it back too. None if there is no
/// such bulk operation.
pub async fn lock(conn: &mut PgConnection, id: BulkId, now: DateTime<Utc>) -> Result<Option<bool>> {
    sqlx::query_scalar!(
        "select coalesce(lease_until > $2, false) as \"held!\" from bulk where id = $1 for update",
        id.0,
        now
    )
    .fetch_optional(conn)
    .await
}

/// What it changed.
pub async fn befores(conn: &mut PgConnection, id: BulkId) -> Result<Vec<Before>> {
    let rows = sqlx::query!(
        "select issue_id, version, state, assignee, snooze_until, outage_id from bulk_issue where bulk_id = $1 order by issue_id",
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Before {
                issue: IssueId(row.issue_id),
                version: row.version,
                state: word(&row.state)?,
                assignee: row.assignee,
                snooze_until: row.snooze_until,
                outage: row.outage_id.map(OutageId),
            })
        })
        .collect()
}

/// Which of these outages still last.
pub async fn lasting(conn: &mut PgConnection, outages: &[Uuid]) -> Result<HashSet<OutageId>> {
    let lasting =
        sqlx::query_scalar!("select id from outage where id = any($1) and ended_at is null", outages).fetch_all(conn);
    Ok(lasting.await?.into_iter().map(OutageId).collect())
}

/// Writes down that it was taken back: these issues are as before, the others were left. Answers the new version.
pub async fn undone(
    conn: &mut PgConnection,
    id: BulkId,
    put_back: &[Uuid],
    by: &str,
    now: DateTime<Utc>,
) -> Result<i64> {
    sqlx::query!("update bulk_issue set put_back = (issue_id = any($2)) where bulk_id = $1", id.0, put_back)
        .execute(&mut *conn)
        .await?;
    sqlx::query_scalar!(
        "update bulk set undone_at = $2, undone_by = $3, version = version + 1 where id = $1 returning version",
        id.0,
        now,
        by
    )
    .fetch_one(conn)
    .await
}

/// Adds what a person did with several issues as a bulk operation that is done, over their connections.
pub async fn record(
    conn: &mut PgConnection,
    id: BulkId,
    actor: &Actor,
    wish: &NewBulk,
    (connections, before): (&[Uuid], &[Before]),
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into bulk (id, kind, wish, state, by_name, total, started_at, ended_at, actor) \
         values ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
        id.0,
        wish.kind.code(),
        serde_json::json!(wish),
        BulkState::Done.code(),
        actor.name,
        i64::try_from(connections.len()).unwrap_or(i64::MAX),
        now,
        serde_json::json!(actor)
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into bulk_item (bulk_id, connection_id, outcome, ended_at) select $1::uuid, id, 'done', $3::timestamptz from unnest($2::uuid[]) as n (id)",
        id.0,
        connections,
        now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into bulk_issue (bulk_id, issue_id, version, state, assignee, snooze_until, outage_id) \
         select $1::uuid, * from unnest($2::uuid[], $3::int8[], $4::text[], $5::text[], $6::timestamptz[], $7::uuid[])",
        id.0,
        &before.iter().map(|b| b.issue.0).collect::<Vec<_>>(),
        &before.iter().map(|b| b.version).collect::<Vec<_>>(),
        &before.iter().map(|b| b.state.to_string()).collect::<Vec<_>>(),
        &before.iter().map(|b| b.assignee.clone()).collect::<Vec<_>>() as &[Option<String>],
        &before.iter().map(|b| b.snooze_until).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &before.iter().map(|b| b.outage.map(|outage| outage.0)).collect::<Vec<_>>() as &[Option<Uuid>]
    )
    .execute(conn)
    .await
    .map(drop)
}
