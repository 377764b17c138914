//! Questions about alerts.

use super::{cursor, internal, maybe_word, word};
use chrono::{DateTime, Utc};
use model::{
    Alert, AlertId, AlertQuery, AlertState, ConnectionId, NotificationId, OutageId, Page, Refusal, RuleId, Subject,
    Told,
};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    rule_id: Uuid,
    rule: String,
    severity: String,
    subject_kind: String,
    subject_id: String,
    subject_name: String,
    summary: String,
    state: String,
    since: DateTime<Utc>,
    fired_at: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    acknowledged_by: Option<String>,
    muted_by: Option<String>,
    version: i64,
}

impl Row {
    fn read(self) -> sqlx::Result<Alert> {
        Ok(Alert {
            id: AlertId(self.id),
            rule_id: RuleId(self.rule_id),
            rule: self.rule,
            severity: word(&self.severity)?,
            subject: Subject { kind: word(&self.subject_kind)?, id: self.subject_id, name: self.subject_name },
            summary: self.summary,
            state: word(&self.state)?,
            since: self.since,
            fired_at: self.fired_at,
            resolved_at: self.resolved_at,
            acknowledged_by: self.acknowledged_by,
            muted_by: maybe_word(self.muted_by.as_deref())?,
            version: self.version,
        })
    }
}

/// A rule that was taken away gave its name free; what it was called stands before that.
const COLUMNS: &str = "select a.id, a.rule_id, split_part(r.name, ' (removed ', 1) as rule, r.severity, a.subject_kind, a.subject_id, \
     a.subject_name, a.summary, a.state, a.since, a.fired_at, a.resolved_at, a.acknowledged_by, a.muted_by, a.version \
     from alert a join rule r on r.id = a.rule_id where true";

/// A page of alerts, newest first.
pub async fn list(conn: &mut PgConnection, query: &AlertQuery) -> Result<Page<Alert>, Refusal> {
    let limit = usize::from(query.limit());
    let after = query.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let rows: Vec<Row> = select(query, after).build_query_as().fetch_all(conn).await.map_err(internal)?;
    let more = rows.len() > limit;
    let rows = rows.into_iter().take(limit).map(Row::read);
    let items = rows.collect::<sqlx::Result<Vec<_>>>().map_err(internal)?;
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write(&(last.since, last.id.0)));
    Ok(Page { items, next_cursor })
}

fn select(query: &AlertQuery, after: Option<(DateTime<Utc>, Uuid)>) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(COLUMNS);
    if !query.state.contains(&AlertState::Resolved) {
        // spelled out, so that the index of what is not over answers it in order
        sql.push(" and a.state <> 'resolved'");
    }
    if !query.state.is_empty() {
        let states: Vec<_> = query.state.iter().map(|state| state.code().to_owned()).collect();
        sql.push(" and a.state = any(").push_bind(states).push(")");
    }
    if let Some(rule) = query.rule {
        sql.push(" and a.rule_id = ").push_bind(rule.0);
    }
    if let Some(connection) = query.connection {
        sql.push(" and a.subject_kind = 'connection' and a.subject_id = ").push_bind(connection.to_string());
    }
    if let Some((since, id)) = after {
        sql.push(" and (a.since, a.id) < (").push_bind(since).push(", ").push_bind(id).push(")");
    }
    sql.push(" order by a.since desc, a.id desc limit ").push_bind(i64::from(query.limit()) + 1);
    sql
}

/// One alert.
pub async fn get(conn: &mut PgConnection, id: AlertId) -> sqlx::Result<Option<Alert>> {
    let mut sql = QueryBuilder::<Postgres>::new(COLUMNS);
    sql.push(" and a.id = ").push_bind(id.0);
    let row: Option<Row> = sql.build_query_as().fetch_optional(conn).await?;
    row.map(Row::read).transpose()
}

struct ToldRow {
    notification_id: Option<Uuid>,
    subject_kind: String,
    subject_id: String,
    subject_name: String,
    rule: String,
    channel: Option<String>,
    reason: Option<String>,
    at: DateTime<Utc>,
    state: Option<String>,
    muted_by: Option<String>,
}

impl ToldRow {
    fn read(self) -> sqlx::Result<Told> {
        Ok(Told {
            notification_id: self.notification_id.map(NotificationId),
            subject: Subject { kind: word(&self.subject_kind)?, id: self.subject_id, name: self.subject_name },
            rule: self.rule,
            channel: self.channel,
            reason: maybe_word(self.reason.as_deref())?,
            at: self.at,
            state: maybe_word(self.state.as_deref())?,
            muted_by: maybe_word(self.muted_by.as_deref())?,
        })
    }
}

/// Who was told of a connection, newest first: messages about its alerts, and alerts that somebody muted. The newest 200 alerts are
/// looked at.
pub async fn told(conn: &mut PgConnection, id: ConnectionId) -> sqlx::Result<Vec<Told>> {
    let rows = sqlx::query_as!(
        ToldRow,
        "with own as (select a.id, a.subject_kind, a.subject_id, a.subject_name, split_part(r.name, ' (removed ', 1) as rule, a.fired_at, \
             a.muted_by from alert a join rule r on r.id = a.rule_id \
             where a.subject_id = $1 and a.subject_kind = 'connection' and a.fired_at is not null order by a.since desc limit 200) \
         select n.id as \"notification_id?\", o.subject_kind as \"subject_kind!\", o.subject_id as \"subject_id!\", \
             o.subject_name as \"subject_name!\", o.rule as \"rule!\", h.name as \"channel?\", n.reason as \"reason?\", \
             coalesce(n.sent_at, n.created_at) as \"at!\", n.state as \"state?\", null as \"muted_by?\" \
         from own o join notification n on n.alert_ids && array[o.id] join channel h on h.id = n.channel_id \
         union all select null, o.subject_kind, o.subject_id, o.subject_name, o.rule, null, null, o.fired_at, null, o.muted_by \
         from own o where o.muted_by is not null order by 8 desc limit 200",
        id.to_string()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(ToldRow::read).collect()
}

/// Who was told of an outage, newest first: messages about what is out of order while it was, or why there was none; and the messages
/// about its connections that went out before it stood for them. The newest 200 alerts of either are looked at.
pub async fn told_of_outage(conn: &mut PgConnection, id: OutageId) -> sqlx::Result<Vec<Told>> {
    let rows = sqlx::query_as!(
        ToldRow,
        "with own as (select a.id, a.subject_kind, a.subject_id, a.subject_name, split_part(r.name, ' (removed ', 1) as rule, a.fired_at, a.muted_by \
             from outage o left join source s on o.kind = 'source' and s.name = o.slug \
             join alert a on case o.kind when 'platform' then a.subject_kind = 'platform' and a.subject_id = o.slug \
               when 'source' then a.subject_kind = 'source' and a.subject_id = s.id::text \
               else a.subject_kind = 'linewatch' and a.subject_id = 'poller' end \
             join rule r on r.id = a.rule_id where o.id = $1 and a.fired_at is not null \
             and a.since >= least(o.started_at, o.opened_at) and a.since <= coalesce(o.ended_at, 'infinity') order by a.since desc limit 200), \
         child as (select a.id, a.subject_kind, a.subject_id, a.subject_name, split_part(r.name, ' (removed ', 1) as rule \
             from outage o join outage_connection c on c.outage_id = o.id \
             join alert a on a.subject_id = c.connection_id::text and a.subject_kind = 'connection' join rule r on r.id = a.rule_id \
             where o.id = $1 and a.fired_at is not null and a.since >= o.started_at and a.since <= o.opened_at order by a.since desc limit 200), \
         before as (select distinct on (n.id) n.id, c.subject_kind, c.subject_id, c.subject_name, c.rule, n.channel_id, n.reason, \
             coalesce(n.sent_at, n.created_at) as at, n.state from child c join notification n on n.alert_ids && array[c.id], outage o \
             where o.id = $1 and n.created_at <= coalesce(o.ended_at, 'infinity') \
             and not exists (select from own w where n.alert_ids && array[w.id]) order by n.id, c.subject_name) \
         select n.id as \"notification_id?\", o.subject_kind as \"subject_kind!\", o.subject_id as \"subject_id!\", \
             o.subject_name as \"subject_name!\", o.rule as \"rule!\", h.name as \"channel?\", n.reason as \"reason?\", \
             coalesce(n.sent_at, n.created_at) as \"at!\", n.state as \"state?\", null as \"muted_by?\" \
         from own o join notification n on n.alert_ids && array[o.id] join channel h on h.id = n.channel_id \
         union all select null, o.subject_kind, o.subject_id, o.subject_name, o.rule, null, null, o.fired_at, null, o.muted_by \
         from own o where o.muted_by is not null \
         union all select b.id, b.subject_kind, b.subject_id, b.subject_name, b.rule, h.name, b.reason, b.at, b.state, null \
         from before b join channel h on h.id = b.channel_id order by 8 desc limit 200",
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(ToldRow::read).collect()
}
