//! Connections as people and machines see them: lists with filters, totals and keyset pages; one with everything.
//!
//! The one place with SQL put together at run time, because filters and orders combine freely. Every value is bound.

use super::connection_count::{self, Counted};
use super::connection_filter::{Conditions, filter, push_loose};
use super::connection_learned::{learned, looked_at, policy, webhooks};
use super::{cursor, internal, maybe_word, record, word};
use crate::health::{Feed, record::sentence};
use chrono::{DateTime, Utc};
use model::{
    CadenceFrom, Cause, CauseView, Connection, ConnectionDetail, ConnectionId, ConnectionPage, ConnectionQuery,
    ConnectionSort, CustomerId, CustomerRef, PlatformRef, Proof, Refusal, SortKey, SourceId, SourceRef, TimelineItem,
    TimelineKind,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Postgres, QueryBuilder, Result, Row, postgres::PgRow};
use std::collections::BTreeSet;
use uuid::Uuid;

const FROM: &str = " from connection c join customer u on u.id = c.customer_id join platform p on p.slug = c.platform_slug \
     join source s on s.id = c.source_id ";

const COLUMNS: &str = "select c.id, c.key, c.name, c.customer_id, u.name as customer_name, c.platform_slug, p.name as platform_name, \
     c.source_id, s.name as source_name, s.environment, c.health, c.authorization_shown, c.data_flow, c.since, c.cause, c.cause_detail, \
     pr.proof_at, pr.eye as proof_eye, pr.last_good_sync_at, pr.rhythm, pr.syncs, pr.heard_at, pr.data_at, pr.pulse, c.cadence_upstream, c.cadence_set, s.cadence_seconds as cadence_default, \
     s.late_factor, s.late_grace_seconds, s.proof_allowance_seconds, c.owner, c.tags, c.raw_status, c.version, c.updated_at";

const JOIN_PROOF: &str = " left join connection_proof pr on pr.connection_id = c.id ";

/// A page of connections, with totals over all rows.
pub async fn page(conn: &mut PgConnection, query: &ConnectionQuery) -> std::result::Result<ConnectionPage, Refusal> {
    let after = query.cursor.as_deref().map(|text| Position::read(text, query.sort)).transpose()?;
    let found;
    let query = if query.source.is_empty() {
        query
    } else {
        found = with_sources_found(conn, query).await.map_err(internal)?;
        &found
    };
    let Counted { tally, few } = connection_count::of(conn, query).await.map_err(internal)?;
    let matching = tally.of_any(&query.health);
    let mut items = rows(conn, query, after, few).await.map_err(internal)?;
    let limit = usize::from(query.limit());
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| Position::of(last, query.sort).write());
    Ok(ConnectionPage { items, next_cursor, matching, totals: tally })
}

/// The same question with ids in place of the names of sources: Postgres plans better with what it can see.
async fn with_sources_found(conn: &mut PgConnection, query: &ConnectionQuery) -> Result<ConnectionQuery> {
    let found = sqlx::query_scalar!(
        "select id::text as \"id!\" from source where name = any($1) or id::text = any($1)",
        &query.source
    );
    let mut source = found.fetch_all(conn).await?;
    if source.is_empty() {
        // of no source: no filter at all would be the opposite
        source.push(Uuid::nil().to_string());
    }
    Ok(ConnectionQuery { source, ..query.clone() })
}

/// The rows of a page and one more: first their ids in order, then what is shown of them.
async fn rows(
    conn: &mut PgConnection,
    query: &ConnectionQuery,
    after: Option<Position>,
    few: bool,
) -> Result<Vec<Connection>> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(FROM).push(JOIN_PROOF).push(" where c.id = any(array(");
    if !matches!(query.sort.key, SortKey::Worst | SortKey::Since) {
        sql.push("select c.id").push(FROM).push(JOIN_PROOF);
        filter(&mut sql, query, Conditions::All);
        push_after(&mut sql, query.sort, after.as_ref());
        push_order(&mut sql, query.sort);
        push_limit(&mut sql, query);
    } else if few {
        // all that match, then sorted: the fence keeps Postgres from looking for them along the order
        sql.push("select c.id from (select c.id, c.health_rank, c.since from connection c");
        filter(&mut sql, query, Conditions::All);
        sql.push(" offset 0) c where true");
        push_after(&mut sql, query.sort, after.as_ref());
        push_order(&mut sql, query.sort);
        push_limit(&mut sql, query);
    } else if query.sort.key == SortKey::Worst && query.health.len() > 1 {
        // a page of each health, as each has an order of its own in the index
        let ranks: BTreeSet<i16> = query.health.iter().map(|health| health.rank()).collect();
        sql.push("select c.id from (");
        for (i, rank) in ranks.into_iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ") union all (" });
            push_along(&mut sql, query, after.as_ref(), Some(rank));
        }
        sql.push(")) c");
        push_order(&mut sql, query.sort);
        push_limit(&mut sql, query);
    } else {
        sql.push("select c.id from (");
        push_along(&mut sql, query, after.as_ref(), None);
        sql.push(") c");
    }
    sql.push("))");
    push_order(&mut sql, query.sort);
    // planned anew each time: how many rows fit a filter decides how they are best looked for
    sql.build().persistent(false).fetch_all(conn).await?.iter().map(read).collect()
}

/// Along an index in the order of the list until enough rows fit; of one health, or of those that the query names.
fn push_along(sql: &mut QueryBuilder<Postgres>, query: &ConnectionQuery, after: Option<&Position>, rank: Option<i16>) {
    sql.push("select c.id, c.health_rank, c.since from (select c.id, c.health_rank, c.since, c.tags, c.search from connection c");
    match rank {
        Some(rank) => {
            filter(sql, query, Conditions::Indexed { health: false });
            sql.push(" and c.health_rank = ").push(rank);
        }
        None => filter(sql, query, Conditions::Indexed { health: true }),
    }
    push_after(sql, query.sort, after);
    push_order(sql, query.sort);
    if !query.tag.is_empty() || query.q.is_some() {
        // the fence keeps Postgres from gathering and sorting all that have a tag or a word
        sql.push(" offset 0");
    }
    sql.push(") c where true");
    push_loose(sql, query);
    push_limit(sql, query);
}

/// Asks for every row that matches, in order: one statement, so all as of one moment. Each is for [`read`].
pub fn all(query: &ConnectionQuery) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(FROM).push(JOIN_PROOF);
    filter(&mut sql, query, Conditions::All);
    push_order(&mut sql, query.sort);
    sql
}

/// These connections, those that were removed left out.
pub async fn by_id(conn: &mut PgConnection, ids: &[ConnectionId]) -> Result<Vec<Connection>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(FROM).push(JOIN_PROOF).push(" where c.removed_at is null and c.id = any(").push_bind(ids).push(")");
    sql.build().fetch_all(conn).await?.iter().map(read).collect()
}

/// What a list is sorted by, and of which types that is.
fn order(key: SortKey) -> (&'static [&'static str], &'static [&'static str]) {
    match key {
        SortKey::Worst => (&["c.health_rank", "c.since", "c.id"], &["int2", "timestamptz", "uuid"]),
        SortKey::Customer => (&["u.name", "c.id"], &["text", "uuid"]),
        SortKey::Platform => (&["p.name", "c.id"], &["text", "uuid"]),
        SortKey::Since => (&["c.since", "c.id"], &["timestamptz", "uuid"]),
        SortKey::LastGoodSync => {
            (&["coalesce(pr.last_good_sync_at, '-infinity'::timestamptz)", "c.id"], &["timestamptz", "uuid"])
        }
    }
}

fn push_after(sql: &mut QueryBuilder<Postgres>, sort: ConnectionSort, after: Option<&Position>) {
    let (columns, types) = order(sort.key);
    if let Some(after) = after.filter(|after| after.values.len() == columns.len()) {
        sql.push(" and (").push(columns.join(", ")).push(if sort.reversed { ") < (" } else { ") > (" });
        for (n, (value, kind)) in after.values.iter().zip(types).enumerate() {
            sql.push(if n == 0 { "" } else { ", " }).push_bind(value.clone()).push("::").push(*kind);
        }
        sql.push(")");
    }
}

fn push_order(sql: &mut QueryBuilder<Postgres>, sort: ConnectionSort) {
    let direction = if sort.reversed { " desc" } else { "" };
    let order: Vec<_> = order(sort.key).0.iter().map(|column| format!("{column}{direction}")).collect();
    sql.push(" order by ").push(order.join(", "));
}

fn push_limit(sql: &mut QueryBuilder<Postgres>, query: &ConnectionQuery) {
    sql.push(" limit ").push(u32::from(query.limit()) + 1);
}

/// Everything that a query matches, whatever its order and page, as `select` wants it; `ids`, unless empty: of these only.
pub fn matching(select: &str, query: &ConnectionQuery, ids: &[Uuid]) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("");
    push_matching(&mut sql, select, query, ids);
    sql
}

/// The same at the end of a statement.
pub fn push_matching(sql: &mut QueryBuilder<Postgres>, select: &str, query: &ConnectionQuery, ids: &[Uuid]) {
    sql.push(select).push(" from connection c");
    filter(sql, query, Conditions::All);
    if !ids.is_empty() {
        sql.push(" and c.id = any(").push_bind(ids.to_vec()).push(")");
    }
}

/// Where a page begins: the order it belongs to, and what its last row was sorted by, as text.
#[derive(Serialize, Deserialize)]
struct Position {
    sort: String,
    values: Vec<String>,
}

impl Position {
    fn of(last: &Connection, sort: ConnectionSort) -> Self {
        let time = |at: DateTime<Utc>| at.to_rfc3339();
        let mut values = match sort.key {
            SortKey::Worst => vec![last.health.rank().to_string(), time(last.since)],
            SortKey::Customer => vec![last.customer.name.clone()],
            SortKey::Platform => vec![last.platform.name.clone()],
            SortKey::Since => vec![time(last.since)],
            SortKey::LastGoodSync => vec![last.last_good_sync_at.map_or("-infinity".to_owned(), time)],
        };
        values.push(last.id.to_string());
        Self { sort: sort.to_string(), values }
    }

    fn write(&self) -> String {
        cursor::write(self)
    }

    /// A cursor comes from outside: every value is read, and written again as Postgres reads it.
    fn read(text: &str, sort: ConnectionSort) -> std::result::Result<Self, Refusal> {
        let position: Self = cursor::read(text)?;
        let values: Option<Vec<String>> = match (sort.key, position.values.as_slice()) {
            (SortKey::Worst, [rank, since, id]) => [number(rank), moment(since), uuid(id)].into_iter().collect(),
            (SortKey::Customer | SortKey::Platform, [name, id]) => {
                [Some(name.clone()).filter(|name| !name.contains('\0')), uuid(id)].into_iter().collect()
            }
            (SortKey::Since | SortKey::LastGoodSync, [at, id]) => [moment(at), uuid(id)].into_iter().collect(),
            _ => None,
        };
        match values {
            Some(values) if position.sort == sort.to_string() => Ok(Self { values, ..position }),
            _ => {
                Err(Refusal::invalid("cursor", "this page address belongs to another order; go back to the first page"))
            }
        }
    }
}

fn number(text: &str) -> Option<String> {
    text.parse::<i16>().ok().map(|number| number.to_string())
}

fn moment(text: &str) -> Option<String> {
    if text == "-infinity" {
        return Some(text.to_owned());
    }
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    cursor::fits(at).then(|| at.to_rfc3339())
}

fn uuid(text: &str) -> Option<String> {
    text.parse::<Uuid>().ok().map(|id| id.to_string())
}

/// Reads a row.
pub fn read(row: &PgRow) -> Result<Connection> {
    let cause: Option<Cause> = maybe_word(row.try_get("cause")?)?;
    let detail: Option<String> = row.try_get("cause_detail")?;
    let (known, feed) = learned(row)?;
    let (cadence, real_time) = match feed {
        Feed::Synced(cadence) => (cadence, None),
        Feed::RealTime(pace) => (None, Some(webhooks(pace, known.fed_at()))),
    };
    let proof_at: Option<DateTime<Utc>> = row.try_get("proof_at")?;
    let proof_eye = maybe_word(row.try_get("proof_eye")?)?;
    Ok(Connection {
        id: ConnectionId(row.try_get("id")?),
        key: row.try_get("key")?,
        name: row.try_get("name")?,
        customer: CustomerRef { id: CustomerId(row.try_get("customer_id")?), name: row.try_get("customer_name")? },
        platform: PlatformRef { slug: row.try_get("platform_slug")?, name: row.try_get("platform_name")? },
        source: SourceRef {
            id: SourceId(row.try_get("source_id")?),
            name: row.try_get("source_name")?,
            environment: word(row.try_get("environment")?)?,
        },
        health: word(row.try_get("health")?)?,
        authorization: word(row.try_get("authorization_shown")?)?,
        data_flow: word(row.try_get("data_flow")?)?,
        since: row.try_get("since")?,
        cause: cause.map(|code| cause_view(code, detail)),
        proof: proof_at.zip(proof_eye).map(|(at, eye)| Proof { eye, at }),
        last_good_sync_at: row.try_get("last_good_sync_at")?,
        cadence_seconds: cadence.map(|(seconds, _)| seconds),
        cadence_from: cadence.map(|(_, from)| from),
        real_time,
        owner: row.try_get("owner")?,
        tags: row.try_get("tags")?,
        raw_status: row.try_get("raw_status")?,
        version: row.try_get("version")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// A cause with its words, and what upstream said where it said something.
pub(super) fn cause_view(code: Cause, detail: Option<String>) -> CauseView {
    let summary = match detail {
        Some(detail) => format!("{}: {detail}", code.words()),
        None => code.words().to_owned(),
    };
    CauseView { code, summary, actor: code.actor() }
}

/// One connection with everything, removed ones too.
pub async fn detail(conn: &mut PgConnection, id: ConnectionId) -> Result<Option<ConnectionDetail>> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(", c.email, c.note, c.first_seen_at, c.removed_at, c.check_reason, c.upstream_error, c.upstream")
        .push(FROM)
        .push(JOIN_PROOF)
        .push(" where c.id = ")
        .push_bind(id.0);
    let Some(row) = sql.build().fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let connection = read(&row)?;
    let policy = policy(&row)?;
    let (known, feed) = learned(&row)?;
    let syncs = known.rhythm.learned().filter(|_| connection.cadence_from == Some(CadenceFrom::Learned));
    let now = looked_at(&row, &known)?;
    let look: Option<String> = row.try_get("check_reason")?;
    Ok(Some(ConnectionDetail {
        webhooks: known.pulse.pace(now).map(|pace| webhooks(pace, known.pulse.heard_at)),
        late_at: match feed {
            Feed::Synced(_) => policy.late_at(connection.last_good_sync_at, connection.cadence_seconds),
            Feed::RealTime(_) => policy.silent_at(&feed, &known, now),
        },
        email: row.try_get("email")?,
        note: row.try_get("note")?,
        first_seen_at: row.try_get("first_seen_at")?,
        removed_at: row.try_get("removed_at")?,
        cadence_set_seconds: row.try_get("cadence_set")?,
        cadence_samples: syncs.map(|learned| i64::from(learned.syncs)),
        proof_allowance_seconds: row.try_get("proof_allowance_seconds")?,
        // routine looks lie in the future; these are due now, and what a person waits for
        checking: look.is_some_and(|reason| !matches!(reason.as_str(), "proof" | "unwell")),
        upstream_error: row.try_get("upstream_error")?,
        records: record::asked(conn, id).await?.map(|(asked, minutes)| sentence(&asked, minutes)),
        upstream: row.try_get("upstream")?,
        connection,
    }))
}

/// What happened to a connection until `now`, newest first: its transitions, the evidence that did more than agree, its gaps and its
/// reconnect links.
pub async fn timeline(
    conn: &mut PgConnection,
    id: ConnectionId,
    page: &model::PageQuery,
    now: DateTime<Utc>,
) -> std::result::Result<model::Page<TimelineItem>, Refusal> {
    let after: Option<(DateTime<Utc>, Uuid)> = page.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let (at, after_id) = after.unzip();
    let limit = i64::from(page.limit());
    let rows = sqlx::query!(
        "select * from ( \
           select at as \"at!\", id as \"id!\", 'transition' as \"kind!\", from_health, to_health, cause, cause_detail, eye, evidence_id, evidence_text as text \
           from transition where connection_id = $1 \
           union all \
           select received_at, id, case applied when 'conflict' then 'conflict' else 'evidence' end, null, null, null, null, eye, id, text \
           from evidence where connection_id = $1 and (applied <> 'confirmed' or eye = 'check') \
           union all \
           select e.at, e.id, 'issue', null, null, i.cause, i.cause_detail, null, null, \
             'Issue #' || i.number || ': ' || e.text || coalesce(' (' || e.by_name || ')', '') \
           from issue i join issue_entry e on e.issue_id = i.id where i.connection_id = $1 \
           union all \
           select missed_at, id, 'gap', null, null, null, null, null, null, \
             case when record_id is not null then 'No webhook (' || kind || ') told of the change of a record' \
               when kind = 'sync_completed' then 'No webhook told of the good sync' when kind = 'status_changed' then 'No webhook told of the change of status' \
               else 'No webhook told that the customer must sign in again' end \
             || ' of ' || to_char(happened_at at time zone 'UTC', 'HH24:MI:SS') || ' UTC; repaired by the poll at ' \
             || to_char(found_at at time zone 'UTC', 'HH24:MI:SS') || case when came_at is null then '' else '; it came later' end \
           from gap where connection_id = $1 and missed_at is not null \
           union all \
           select e.at, l.id, 'link', null, null, null, null, null, null, e.text from reconnect_link l cross join lateral (values \
             (l.made_at, l.made_by || ' made a link to sign in again'), (l.opened_at, 'The customer opened the link'), \
             (l.refused_at, 'Refused: ' || l.refusal), (l.done_at, 'The customer signed in again'), \
             (l.proved_at, 'A good sync proves that the customer signed in again'), \
             (l.replaced_at, 'A newer link took the place of this one'), \
             (case when l.done_at is null and l.replaced_at is null and l.expires_at <= $5 then l.expires_at end, 'The link expired')) \
           e (at, text) where l.connection_id = $1 and e.at is not null \
           union all \
           select at, id, 'person', null, null, null, null, null, null, actor_name || case action \
             when 'connection.sync_started' then case detail->>'kind' when 'full' then ' started a full sync' else ' started a sync' end \
             when 'connection.sync_refused' then ' could not start a sync: ' || (detail->>'why') else ' asked for a check' end \
           from audit where subject_kind = 'connection' and subject_id = $1::uuid::text \
           and action in ('connection.sync_started', 'connection.sync_refused', 'connection.check_asked') \
         ) t where $2::timestamptz is null or (t.\"at!\", t.\"id!\") < ($2, $3) order by 1 desc, 2 desc limit $4",
        id.0,
        at,
        after_id,
        limit + 1,
        now
    )
    .fetch_all(conn)
    .await
    .map_err(internal)?;
    let more = rows.len() as i64 > limit;
    let last = rows.get(usize::from(page.limit()) - 1).filter(|_| more).map(|row| (row.at, row.id));
    let items = rows
        .into_iter()
        .take(usize::from(page.limit()))
        .map(|row| {
            let cause: Option<Cause> = maybe_word(row.cause.as_deref())?;
            let from = maybe_word::<model::Health>(row.from_health.as_deref())?;
            let to = maybe_word::<model::Health>(row.to_health.as_deref())?;
            let kind = match row.kind.as_str() {
                "transition" => TimelineKind::Transition,
                "conflict" => TimelineKind::Conflict,
                "issue" => TimelineKind::Issue,
                "gap" => TimelineKind::Gap,
                "link" => TimelineKind::Link,
                "person" => TimelineKind::Person,
                _ => TimelineKind::Evidence,
            };
            let text = match (kind, from, to) {
                (TimelineKind::Transition, None, Some(to)) => format!("First seen: {}", to.words().to_lowercase()),
                (TimelineKind::Transition, Some(from), Some(to)) => {
                    format!("{} → {}", from.words(), to.words().to_lowercase())
                }
                (TimelineKind::Transition, _, None) => "Gone from Makini; its history is kept".to_owned(),
                _ => row.text.unwrap_or_default(),
            };
            Ok(TimelineItem {
                at: row.at,
                kind,
                from,
                to,
                cause: cause.map(|code| cause_view(code, row.cause_detail)),
                eye: maybe_word(row.eye.as_deref())?,
                evidence_id: row.evidence_id.map(model::EvidenceId),
                text,
            })
        })
        .collect::<Result<Vec<_>>>()
        .map_err(internal)?;
    Ok(model::Page { items, next_cursor: last.map(|last| cursor::write(&last)) })
}
