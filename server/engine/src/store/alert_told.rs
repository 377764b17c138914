//! What has to be known of alerts to tell of them: what the stages decide by, and what a message says.

use super::{connection_list::cause_view, maybe_word, word};
use crate::notify::Line;
use crate::tell::Facts;
use chrono::{DateTime, Utc};
use model::{AlertId, Cause, ConnectionId, CustomerId, Health, MutedBy, RuleId, Severity, SourceId, Subject};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    rule_id: Uuid,
    severity: String,
    subject_kind: String,
    subject_id: String,
    subject_name: String,
    state: String,
    muted_by: Option<String>,
    acknowledged: bool,
    connection_id: Option<Uuid>,
    platform: Option<String>,
    customer_id: Option<Uuid>,
    source_id: Option<Uuid>,
    environment: Option<String>,
    tags: Vec<String>,
    tier: Option<String>,
    owners: Vec<String>,
    group_by: String,
    repeat_seconds: i64,
}

impl Row {
    fn read(self) -> Result<Facts> {
        Ok(Facts {
            alert: AlertId(self.id),
            rule: RuleId(self.rule_id),
            severity: word(&self.severity)?,
            subject: Subject { kind: word(&self.subject_kind)?, id: self.subject_id, name: self.subject_name },
            state: word(&self.state)?,
            muted_by: maybe_word(self.muted_by.as_deref())?,
            acknowledged: self.acknowledged,
            connection: self.connection_id.map(ConnectionId),
            platform: self.platform,
            customer: self.customer_id.map(CustomerId),
            source: self.source_id.map(SourceId),
            environment: maybe_word(self.environment.as_deref())?,
            tags: self.tags,
            tier: self.tier,
            owners: self.owners,
            group_by: word(&self.group_by)?,
            repeat_seconds: self.repeat_seconds,
        })
    }
}

/// What the stages need of these alerts.
pub async fn facts(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Facts>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select a.id, a.rule_id, r.severity, a.subject_kind, a.subject_id, a.subject_name, a.state, a.muted_by,
                  a.acknowledged_by is not null as "acknowledged!", c.id as "connection_id?",
                  case a.subject_kind when 'platform' then a.subject_id else c.platform_slug end as platform,
                  c.customer_id as "customer_id?", s.id as "source_id?", s.environment as "environment?",
                  coalesce(c.tags, '{}') || coalesce(u.tags, '{}') as "tags!", u.tier as "tier?",
                  array_remove(array[c.owner, u.owner], null) as "owners!", r.group_by, r.repeat_seconds
           from alert a join rule r on r.id = a.rule_id
           left join connection c on c.id = case a.subject_kind when 'connection' then a.subject_id::uuid end
           left join customer u on u.id = c.customer_id
           left join source s on s.id = c.source_id or (a.subject_kind = 'source' and (s.id::text = a.subject_id or s.name = a.subject_id))
           where a.id = any($1)"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// What the stages would know of an alert of this rule about this connection; none if there is no such connection or rule.
pub async fn sample(
    conn: &mut PgConnection,
    connection: Option<ConnectionId>,
    rule: Option<RuleId>,
    severity: Option<Severity>,
) -> Result<Option<Facts>> {
    let row = sqlx::query_as!(
        Row,
        r#"select '00000000-0000-0000-0000-000000000000'::uuid as "id!", coalesce(r.id, '00000000-0000-0000-0000-000000000000'::uuid) as "rule_id!",
                  coalesce($3::text, r.severity, 'warning') as "severity!",
                  case when c.id is null then 'fleet' else 'connection' end as "subject_kind!",
                  coalesce(c.id::text, 'fleet') as "subject_id!", coalesce(c.name, 'a sample') as "subject_name!",
                  'firing' as "state!", null::text as muted_by, false as "acknowledged!", c.id as "connection_id?",
                  c.platform_slug as "platform?", c.customer_id as "customer_id?", s.id as "source_id?", s.environment as "environment?",
                  coalesce(c.tags, '{}') || coalesce(u.tags, '{}') as "tags!", u.tier as "tier?",
                  array_remove(array[c.owner, u.owner], null) as "owners!", coalesce(r.group_by, 'rule') as "group_by!",
                  coalesce(r.repeat_seconds, 0) as "repeat_seconds!"
           from (select 1 as one) o
           left join rule r on r.id = $2 and r.removed_at is null
           left join connection c on c.id = $1
           left join customer u on u.id = c.customer_id
           left join source s on s.id = c.source_id
           where ($1::uuid is null or c.id is not null) and ($2::uuid is null or r.id is not null)"#,
        connection.map(|id| id.0),
        rule.map(|id| id.0),
        severity.map(Severity::code)
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// Alerts that have to be looked at: they changed in a way that may have to be told.
pub async fn changed(conn: &mut PgConnection, now: DateTime<Utc>, most: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        // locked in one order, as by everybody who changes several
        "select id from alert where id in (select id from alert where tell_due_at <= $1 order by tell_due_at, id limit $2) \
         order by id for update",
        now,
        most
    )
    .fetch_all(conn)
    .await
}

/// They were looked at, and are muted by this now.
pub async fn looked_at(
    conn: &mut PgConnection,
    muted: &[(AlertId, Option<MutedBy>)],
    now: DateTime<Utc>,
) -> Result<()> {
    let (ids, by): (Vec<Uuid>, Vec<Option<String>>) =
        muted.iter().map(|(id, by)| (id.0, by.map(|by| by.code().to_owned()))).unzip();
    sqlx::query!(
        "update alert a set tell_due_at = null, muted_by = n.by, \
         version = version + case when a.muted_by is distinct from n.by then 1 else 0 end, \
         updated_at = case when a.muted_by is distinct from n.by then $3 else a.updated_at end \
         from unnest($1::uuid[], $2::text[]) as n (id, by) where a.id = n.id",
        &ids,
        &by as &[Option<String>],
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Has alerts looked at again: all that fire, and those that are over but whose news is held back.
pub async fn touch_all(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!(
        "with due as (select id from alert where state = 'firing' or (state = 'resolved' and muted_by in ('silence', 'maintenance') \
         and exists (select 1 from alert_group g where g.alerts @> array[alert.id])) order by id for update) \
         update alert a set tell_due_at = $1 from due where a.id = due.id",
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Has these looked at again.
pub async fn touch(conn: &mut PgConnection, ids: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "with due as (select id from alert where id = any($1) order by id for update) \
         update alert a set tell_due_at = $2 from due where a.id = due.id",
        ids,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Alerts that are muted for a while: those that fire, and those whose end is still to be told.
pub async fn muted_for_a_while(conn: &mut PgConnection) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from alert where muted_by in ('silence', 'maintenance') and (state = 'firing' or (state = 'resolved' \
         and exists (select 1 from alert_group g where g.alerts @> array[alert.id])))"
    )
    .fetch_all(conn)
    .await
}

/// Every alert that fires.
pub async fn firing(conn: &mut PgConnection) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!("select id from alert where state = 'firing'").fetch_all(conn).await
}

/// Somebody takes those of these that fire and that nobody has. Answers which, each with its version.
pub async fn acknowledge(
    conn: &mut PgConnection,
    ids: &[Uuid],
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(AlertId, i64)>> {
    let rows = sqlx::query!(
        "with free as (select id from alert where id = any($1) and state = 'firing' and acknowledged_by is null order by id for update) \
         update alert a set acknowledged_by = $2, acknowledged_at = $3, tell_due_at = $3, version = version + 1, updated_at = $3 \
         from free where a.id = free.id returning a.id, a.version",
        ids,
        by,
        now
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (AlertId(row.id), row.version)).collect())
}

/// What a message says of these alerts: those that fire first, worst and longest first, at most `most`. Also the rule's note, where
/// they are all of one rule.
pub async fn lines(conn: &mut PgConnection, ids: &[Uuid], public_url: &str, most: i64) -> Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"select a.id, a.subject_kind, a.subject_id, a.subject_name, a.summary, a.state, a.since, a.resolved_at, r.name as rule, r.note,
                  r.severity, c.id as "connection_id?", c.health as "health?", c.cause as "cause?", c.cause_detail as "cause_detail?",
                  u.name as "customer?", p.name as "platform?", f.eye as "eye?", f.proof_at as "proof_at?"
           from alert a join rule r on r.id = a.rule_id
           left join connection c on c.id = case a.subject_kind when 'connection' then a.subject_id::uuid end
           left join connection_proof f on f.connection_id = c.id
           left join customer u on u.id = c.customer_id
           left join platform p on p.slug = c.platform_slug
           where a.id = any($1)
           order by a.state = 'firing' desc, case r.severity when 'critical' then 0 when 'warning' then 1 else 2 end, a.since, a.id limit $2"#,
        ids,
        most
    )
    .fetch_all(conn)
    .await?;
    let lines = rows.into_iter().map(|row| {
        let cause = maybe_word::<Cause>(row.cause.as_deref())?;
        let link = match row.connection_id {
            Some(id) => format!("{public_url}/connections/{id}"),
            None => format!("{public_url}/alerts"),
        };
        Ok(Line {
            alert_id: AlertId(row.id),
            subject: Subject { kind: word(&row.subject_kind)?, id: row.subject_id, name: row.subject_name },
            customer: row.customer,
            platform: row.platform,
            severity: word(&row.severity)?,
            health: maybe_word::<Health>(row.health.as_deref())?,
            what: row.summary,
            since: row.since,
            over_at: row.resolved_at.filter(|_| row.state == "resolved"),
            cause: cause.map(|code| cause_view(code, row.cause_detail).summary),
            proof_eye: maybe_word(row.eye.as_deref())?,
            proof_at: row.proof_at,
            next_step: cause.map(|code| code.play().instruction.to_owned()),
            rule: row.rule,
            note: row.note,
            link,
        })
    });
    lines.collect()
}
