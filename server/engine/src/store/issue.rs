//! Issues as the machinery keeps them: reading under a lock, opening, saving, and their story. What people and machines ask of
//! them is in [`super::issue_list`].

use super::word;
use crate::clock::new_id;
use crate::health::Standing;
use chrono::{DateTime, Utc};
use model::{ConnectionId, Eye, Health, IssueEntryKind, IssueId, OutageId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// An issue as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: IssueId,
    /// Of which connection; none for an outage.
    pub connection: Option<ConnectionId>,
    /// The outage that it is, or that it is folded into.
    pub outage: Option<OutageId>,
    /// What it is about and where it stands.
    pub standing: Standing,
    /// What upstream said.
    pub detail: Option<String>,
    /// Who has it.
    pub assignee: Option<String>,
    /// When it was last opened.
    pub opened_at: DateTime<Utc>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When to look again.
    pub due_at: Option<DateTime<Utc>>,
    /// 0 until it is written for the first time.
    pub version: i64,
}

struct Row {
    id: Uuid,
    connection_id: Option<Uuid>,
    outage_id: Option<Uuid>,
    cause: String,
    cause_detail: Option<String>,
    state: String,
    assignee: Option<String>,
    opened_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    snooze_until: Option<DateTime<Utc>>,
    well_since: Option<DateTime<Utc>>,
    due_at: Option<DateTime<Utc>>,
    version: i64,
}

impl TryFrom<Row> for Kept {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: IssueId(row.id),
            connection: row.connection_id.map(ConnectionId),
            outage: row.outage_id.map(OutageId),
            standing: Standing {
                cause: word(&row.cause)?,
                state: word(&row.state)?,
                well_since: row.well_since,
                snooze_until: row.snooze_until,
            },
            detail: row.cause_detail,
            assignee: row.assignee,
            opened_at: row.opened_at,
            resolved_at: row.resolved_at,
            due_at: row.due_at,
            version: row.version,
        })
    }
}

/// The select behind every read of a [`Kept`]; what follows is the rest of the statement. Always under a lock, in the order of
/// the ids, so that batches cannot lock each other out.
macro_rules! kept {
    ($rest:literal, $conn:expr $(, $arg:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, connection_id, outage_id, cause, cause_detail, state, assignee, opened_at, resolved_at, snooze_until, \
             well_since, due_at, version from issue " + $rest
            $(, $arg)*
        )
        .fetch_all($conn)
        .await?
        .into_iter()
        .map(Kept::try_from)
        .collect::<Result<Vec<_>>>()
    };
}

/// The issues of these connections, resolved ones too.
pub async fn of_connections(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Kept>> {
    kept!("where connection_id = any($1) order by id for update", conn, ids)
}

/// These issues.
pub async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Kept>> {
    kept!("where id = any($1) order by id for update", conn, ids)
}

/// The issues that these outages are.
pub async fn of_outages(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Kept>> {
    kept!("where outage_id = any($1) and connection_id is null order by id for update", conn, ids)
}

/// Issues that time may change. Those that somebody else has in hand are left for the next look.
pub async fn due(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<Kept>> {
    let due = sqlx::query_scalar!("select id from issue where due_at <= $1 order by due_at limit $2", now, limit)
        .fetch_all(&mut *conn)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    kept!("where id = any($1) order by id for update skip locked", conn, &due)
}

/// Opens issues.
pub async fn insert(conn: &mut PgConnection, new: &[Kept], now: DateTime<Utc>) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into issue (id, connection_id, outage_id, cause, cause_detail, state, opened_at, openings, resolved_at, well_since, \
         due_at, version, updated_at) \
         select id, connection_id, outage_id, cause, cause_detail, state, opened_at, array[opened_at], resolved_at, well_since, \
         due_at, version, $11 \
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], \
         $9::timestamptz[], $10::timestamptz[], $12::int8[]) \
         as n (id, connection_id, outage_id, cause, cause_detail, state, opened_at, resolved_at, well_since, due_at, version)",
        &new.iter().map(|i| i.id.0).collect::<Vec<_>>(),
        &new.iter().map(|i| i.connection.map(|c| c.0)).collect::<Vec<_>>() as &[Option<Uuid>],
        &new.iter().map(|i| i.outage.map(|o| o.0)).collect::<Vec<_>>() as &[Option<Uuid>],
        &new.iter().map(|i| i.standing.cause.to_string()).collect::<Vec<_>>(),
        &new.iter().map(|i| i.detail.clone()).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|i| i.standing.state.to_string()).collect::<Vec<_>>(),
        &new.iter().map(|i| i.opened_at).collect::<Vec<_>>(),
        &new.iter().map(|i| i.resolved_at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &new.iter().map(|i| i.standing.well_since).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &new.iter().map(|i| i.due_at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        now,
        &new.iter().map(|i| i.version).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Writes issues back; the caller holds their locks. `true`: it was opened again, which is counted.
pub async fn save(conn: &mut PgConnection, changed: &[(Kept, bool)], now: DateTime<Utc>) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let saved = sqlx::query!(
        "update issue i set outage_id = n.outage_id, cause_detail = n.cause_detail, state = n.state, assignee = n.assignee, \
         opened_at = n.opened_at, resolved_at = n.resolved_at, snooze_until = n.snooze_until, well_since = n.well_since, \
         due_at = n.due_at, version = n.version, \
         openings = case when n.reopened then (i.openings || n.opened_at)[greatest(1, cardinality(i.openings) - 30):] else i.openings end, \
         updated_at = case when n.version > i.version then $13 else i.updated_at end \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], \
         $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::int8[], $12::bool[]) \
         as n (id, outage_id, cause_detail, state, assignee, opened_at, resolved_at, snooze_until, well_since, due_at, version, reopened) \
         where i.id = n.id",
        &changed.iter().map(|(i, _)| i.id.0).collect::<Vec<_>>(),
        &changed.iter().map(|(i, _)| i.outage.map(|o| o.0)).collect::<Vec<_>>() as &[Option<Uuid>],
        &changed.iter().map(|(i, _)| i.detail.clone()).collect::<Vec<_>>() as &[Option<String>],
        &changed.iter().map(|(i, _)| i.standing.state.to_string()).collect::<Vec<_>>(),
        &changed.iter().map(|(i, _)| i.assignee.clone()).collect::<Vec<_>>() as &[Option<String>],
        &changed.iter().map(|(i, _)| i.opened_at).collect::<Vec<_>>(),
        &changed.iter().map(|(i, _)| i.resolved_at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &changed.iter().map(|(i, _)| i.standing.snooze_until).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &changed.iter().map(|(i, _)| i.standing.well_since).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &changed.iter().map(|(i, _)| i.due_at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &changed.iter().map(|(i, _)| i.version).collect::<Vec<_>>(),
        &changed.iter().map(|(_, reopened)| *reopened).collect::<Vec<_>>(),
        now,
    )
    .execute(conn)
    .await?
    .rows_affected();
    if saved == changed.len() as u64 {
        Ok(())
    } else {
        Err(sqlx::Error::Protocol(format!("{saved} of {} issues were saved", changed.len())))
    }
}

/// A line of an issue's story, to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// Of which issue.
    pub issue: IssueId,
    /// What.
    pub kind: IssueEntryKind,
    /// Who; none when Linewatch did it by itself.
    pub by: Option<String>,
    /// In words.
    pub text: String,
    /// The issue's version after it.
    pub version: i64,
}

/// Appends to the stories, in this order.
pub async fn append(conn: &mut PgConnection, new: &[NewEntry], now: DateTime<Utc>) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into issue_entry (id, issue_id, at, kind, by_name, text, version) \
         select id, issue_id, $7, kind, by_name, text, version \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int8[]) \
         as n (id, issue_id, kind, by_name, text, version)",
        &new.iter().map(|_| new_id()).collect::<Vec<_>>(),
        &new.iter().map(|e| e.issue.0).collect::<Vec<_>>(),
        &new.iter().map(|e| e.kind.to_string()).collect::<Vec<_>>(),
        &new.iter().map(|e| e.by.clone()).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|e| e.text.clone()).collect::<Vec<_>>(),
        &new.iter().map(|e| e.version).collect::<Vec<_>>(),
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// How a connection is now, and what last proved that it changed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Of which.
    pub connection: ConnectionId,
    /// Its headline.
    pub health: Health,
    /// A copy of the evidence behind its newest transition.
    pub evidence: Option<String>,
    /// Through which eye that was seen.
    pub eye: Option<Eye>,
}

/// How these connections are now.
pub async fn shown(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Shown>> {
    let rows = sqlx::query!(
        "select c.id as \"id!\", c.health as \"health!\", t.evidence_text as \"evidence_text?\", t.eye as \"eye?\" from connection c left join lateral ( \
           select evidence_text, eye from transition where connection_id = c.id order by at desc, id desc limit 1) t on true \
         where c.id = any($1)",
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Shown {
                connection: ConnectionId(row.id),
                health: word(&row.health)?,
                evidence: row.evidence_text,
                eye: super::maybe_word(row.eye.as_deref())?,
            })
        })
        .collect()
}

/// Whether nothing but these kinds of entries was added after a version.
pub async fn only_since(conn: &mut PgConnection, id: IssueId, version: i64, kinds: &[IssueEntryKind]) -> Result<bool> {
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.code().to_owned()).collect();
    let others = sqlx::query_scalar!(
        "select exists (select from issue_entry where issue_id = $1 and version > $2 and kind <> all($3)) as \"others!\"",
        id.0,
        version,
        &kinds
    )
    .fetch_one(conn)
    .await?;
    Ok(!others)
}

/// How many issues are open, and how many outages last: for the figures.
pub async fn figures(conn: &mut PgConnection) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        "select (select count(*) from issue where state = 'open') as \"issues!\", \
         (select count(*) from outage where ended_at is null) as \"outages!\""
    )
    .fetch_one(conn)
    .await?;
    Ok((row.issues, row.outages))
}
