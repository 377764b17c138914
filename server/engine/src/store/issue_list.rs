//! Questions about issues.

use super::{connection_list::cause_view, cursor, internal, maybe_word, word};
use chrono::{DateTime, Utc};
use model::{
    Cause, CauseView, ConnectionId, ConnectionRef, CustomerId, CustomerRef, Issue, IssueCounts, IssueEntry, IssueId,
    IssueQuery, IssueState, OutageId, Page, PlatformRef, Refusal,
};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    number: i64,
    connection_id: Option<Uuid>,
    connection_name: Option<String>,
    customer_id: Option<Uuid>,
    customer_name: Option<String>,
    platform_slug: Option<String>,
    platform_name: Option<String>,
    health: Option<String>,
    outage_id: Option<Uuid>,
    cause: String,
    cause_detail: Option<String>,
    state: String,
    assignee: Option<String>,
    opened_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    snooze_until: Option<DateTime<Utc>>,
    recurrences: i64,
    version: i64,
    updated_at: DateTime<Utc>,
}

/// The page is cut first; names and counts are joined to it.
const NAMED: &str = ") as i left join connection c on c.id = i.connection_id left join customer u on u.id = c.customer_id \
     left join outage o on o.id = i.outage_id and i.connection_id is null \
     left join platform p on p.slug = coalesce(c.platform_slug, case when o.kind = 'platform' then o.slug end) \
     order by i.opened_at desc, i.id desc";

const COLUMNS: &str = "select i.id, i.number, i.connection_id, c.name as connection_name, c.customer_id, u.name as customer_name, \
     p.slug as platform_slug, p.name as platform_name, case when c.removed_at is null then c.health end as health, i.outage_id, \
     i.cause, i.cause_detail, i.state, i.assignee, i.opened_at, i.resolved_at, i.snooze_until, \
     (select count(*) from unnest(i.openings) as at where at < i.opened_at and at > i.opened_at - interval '30 days') as recurrences, \
     i.version, i.updated_at from (select * from issue where true";

impl Row {
    fn read(self) -> sqlx::Result<Issue> {
        let connection = self.connection_id.map(ConnectionId);
        Ok(Issue {
            id: IssueId(self.id),
            number: self.number,
            connection: connection.zip(self.connection_name).map(|(id, name)| ConnectionRef { id, name }),
            customer: self
                .customer_id
                .zip(self.customer_name)
                .map(|(id, name)| CustomerRef { id: CustomerId(id), name }),
            platform: self.platform_slug.zip(self.platform_name).map(|(slug, name)| PlatformRef { slug, name }),
            health: maybe_word(self.health.as_deref())?,
            outage_id: self.outage_id.map(OutageId),
            cause: view(word(&self.cause)?, self.cause_detail, connection.is_some()),
            state: word(&self.state)?,
            assignee: self.assignee,
            opened_at: self.opened_at,
            resolved_at: self.resolved_at,
            snooze_until: self.snooze_until,
            recurrences: self.recurrences,
            version: self.version,
            updated_at: self.updated_at,
        })
    }
}

/// An outage says in its own words what has failed; the words of its cause are those of a single connection.
fn view(code: Cause, detail: Option<String>, of_connection: bool) -> CauseView {
    match detail {
        Some(summary) if !of_connection => CauseView { code, summary, actor: code.actor() },
        detail => cause_view(code, detail),
    }
}

/// A page of issues, newest first. `me` must have become a name before.
pub async fn list(conn: &mut PgConnection, query: &IssueQuery) -> Result<Page<Issue>, Refusal> {
    let limit = usize::from(query.limit());
    let after = query.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let rows: Vec<Row> = select(query, after).build_query_as().fetch_all(conn).await.map_err(internal)?;
    let more = rows.len() > limit;
    let rows = rows.into_iter().take(limit).map(Row::read);
    let items = rows.collect::<sqlx::Result<Vec<_>>>().map_err(internal)?;
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write(&(last.opened_at, last.id.0)));
    Ok(Page { items, next_cursor })
}

fn select(query: &IssueQuery, after: Option<(DateTime<Utc>, Uuid)>) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(COLUMNS);
    if !query.state.is_empty() {
        if query.state.iter().all(|state| state.is_live()) {
            // spelled out, so that the index of what is live answers it in order
            sql.push(" and state <> 'resolved'");
        }
        let states: Vec<_> = query.state.iter().map(|state| state.code().to_owned()).collect();
        sql.push(" and state = any(").push_bind(states).push(")");
    }
    if !query.assignee.is_empty() {
        sql.push(" and assignee = any(").push_bind(query.assignee.clone()).push(")");
    }
    if !query.connection.is_empty() {
        let ids: Vec<Uuid> = query.connection.iter().map(|id| id.0).collect();
        sql.push(" and connection_id = any(").push_bind(ids).push(")");
    }
    if let Some((opened_at, id)) = after {
        sql.push(" and (opened_at, id) < (").push_bind(opened_at).push(", ").push_bind(id).push(")");
    }
    sql.push(" order by opened_at desc, id desc limit ").push_bind(i64::from(query.limit()) + 1);
    sql.push(NAMED);
    sql
}

/// One issue.
pub async fn get(conn: &mut PgConnection, id: IssueId) -> sqlx::Result<Option<Issue>> {
    let mut sql = QueryBuilder::<Postgres>::new(COLUMNS);
    sql.push(" and id = ").push_bind(id.0).push(NAMED);
    let row: Option<Row> = sql.build_query_as().fetch_optional(conn).await?;
    row.map(Row::read).transpose()
}

/// The story of an issue, newest first.
pub async fn entries(conn: &mut PgConnection, id: IssueId) -> sqlx::Result<Vec<IssueEntry>> {
    let rows = sqlx::query!(
        "select at, kind, by_name, text from issue_entry where issue_id = $1 order by at desc, id desc limit 1000",
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(IssueEntry { at: row.at, kind: word(&row.kind)?, by: row.by_name, text: row.text }))
        .collect()
}

/// How many issues wait for whom; `me`: who asks.
pub async fn counts(conn: &mut PgConnection, me: &str) -> sqlx::Result<IssueCounts> {
    let rows = sqlx::query!(
        "select state, count(*) as \"n!\", count(*) filter (where assignee = $1) as \"mine!\" from issue where state <> 'resolved' group by state",
        me
    )
    .fetch_all(conn)
    .await?;
    let mut counts = IssueCounts::default();
    for row in rows {
        let n = u64::try_from(row.n).unwrap_or(0);
        counts.mine += u64::try_from(row.mine).unwrap_or(0);
        match word(&row.state)? {
            IssueState::Open => counts.open = n,
            IssueState::Acknowledged => counts.acknowledged = n,
            IssueState::WaitingOnCustomer => counts.waiting = n,
            IssueState::Snoozed => counts.snoozed = n,
            IssueState::Folded | IssueState::Resolved => {}
        }
    }
    Ok(counts)
}

/// How many are open.
pub async fn open(conn: &mut PgConnection) -> sqlx::Result<u64> {
    let n = sqlx::query_scalar!("select count(*) as \"n!\" from issue where state = 'open'").fetch_one(conn).await?;
    Ok(u64::try_from(n).unwrap_or(0))
}
