//! Alerts: those that are not over, and what becomes of them. What people ask is in [`super::alert_list`].

use super::word;
use crate::alert::machine::Course;
use crate::alert::{Kept, Write};
use chrono::{DateTime, TimeDelta, Utc};
use model::{AlertId, Change, ChangeTopic, ConnectionId, RuleId, Subject};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// One process at a time decides about alerts.
const DECIDES: i64 = 0x6c77_616c_6572_7473;

/// Waits until no other process decides, and keeps others from it until the transaction ends.
pub async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", DECIDES).execute(conn).await.map(drop)
}

struct Row {
    id: Uuid,
    rule_id: Uuid,
    subject_kind: String,
    subject_id: String,
    subject_name: String,
    summary: String,
    since: DateTime<Utc>,
    well_since: Option<DateTime<Utc>>,
    fired_at: Option<DateTime<Utc>>,
    version: i64,
}

impl TryFrom<Row> for Kept {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: AlertId(row.id),
            rule: RuleId(row.rule_id),
            subject: Subject { kind: word(&row.subject_kind)?, id: row.subject_id, name: row.subject_name },
            summary: row.summary,
            course: Course { since: row.since, fired_at: row.fired_at, well_since: row.well_since },
            version: row.version,
        })
    }
}

/// Alerts that are not over, of these rules.
pub async fn of_rules(conn: &mut PgConnection, rules: &[Uuid]) -> Result<Vec<Kept>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, rule_id, subject_kind, subject_id, subject_name, summary, since, well_since, fired_at, version \
         from alert where state <> 'resolved' and rule_id = any($1)",
        rules
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Kept::try_from).collect()
}

/// Alerts that are not over, of these rules about these connections, and with them those whose time has come.
pub async fn of_connections(
    conn: &mut PgConnection,
    rules: &[Uuid],
    connections: &[ConnectionId],
    now: DateTime<Utc>,
) -> Result<Vec<Kept>> {
    let ids: Vec<String> = connections.iter().map(ToString::to_string).collect();
    let rows = sqlx::query_as!(
        Row,
        "select id as \"id!\", rule_id as \"rule_id!\", subject_kind as \"subject_kind!\", subject_id as \"subject_id!\", \
         subject_name as \"subject_name!\", summary as \"summary!\", since as \"since!\", well_since, fired_at, version as \"version!\" \
         from alert where state <> 'resolved' and rule_id = any($1) and subject_kind = 'connection' and subject_id = any($2) \
         union select id, rule_id, subject_kind, subject_id, subject_name, summary, since, well_since, fired_at, version \
         from alert where due_at <= $3 and state <> 'resolved' and rule_id = any($1)",
        rules,
        &ids,
        now
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Kept::try_from).collect()
}

/// Whether there is anything to do for rules that follow connections.
pub async fn is_due(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<bool> {
    sqlx::query_scalar!(
        "select exists (select from alert_touch) or exists (select from rule where settled <> version) \
         or exists (select from alert a join rule r on r.id = a.rule_id \
           where a.due_at <= $1 and r.condition ->> 'kind' = 'connection_health') as \"due!\"",
        now
    )
    .fetch_one(conn)
    .await
}

/// Writes down what has become of alerts: at most three statements. Answers what to announce.
pub async fn write(conn: &mut PgConnection, write: &Write, now: DateTime<Utc>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    if !write.ended.is_empty() {
        let ids: Vec<Uuid> = write.ended.iter().map(|id| id.0).collect();
        sqlx::query!("delete from alert where id = any($1) and state = 'pending'", &ids).execute(&mut *conn).await?;
        changes.extend(write.ended.iter().map(|id| Change::new(ChangeTopic::Alert, id, 0)));
    }
    turn(conn, write, now).await?;
    start(conn, write, now).await?;
    changes.extend(write.turned.iter().map(|turned| Change::new(ChangeTopic::Alert, turned.id, turned.version)));
    changes.extend(write.started.iter().map(|started| Change::new(ChangeTopic::Alert, started.id, 1)));
    Ok(changes)
}

fn state(course: &Course, resolved_at: Option<DateTime<Utc>>) -> &'static str {
    match (course.fired_at, resolved_at) {
        (_, Some(_)) => "resolved",
        (Some(_), None) => "firing",
        (None, None) => "pending",
    }
}

async fn turn(conn: &mut PgConnection, write: &Write, now: DateTime<Utc>) -> Result<()> {
    if write.turned.is_empty() {
        return Ok(());
    }
    let turned = &write.turned;
    macro_rules! column {
        ($t:ident => $value:expr) => {
            &turned.iter().map(|$t| $value).collect::<Vec<_>>()[..]
        };
    }
    // locked in one order, as by everybody who changes several; who tells of it may write beside us: only what is decided here is written
    sqlx::query!(
        "with locked as (select id from alert where id = any($1) order by id for update) \
         update alert a set state = n.state, summary = n.summary, fired_at = n.fired_at, well_since = n.well_since, \
         resolved_at = n.resolved_at, due_at = n.due_at, \
         tell_due_at = case when n.tell then $10 else a.tell_due_at end, \
         muted_by = case when n.covered then coalesce(a.muted_by, 'outage') else a.muted_by end, \
         version = a.version + 1, updated_at = $10 \
         from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], \
         $8::bool[], $9::bool[]) as n (id, state, summary, fired_at, well_since, resolved_at, due_at, tell, covered) \
         join locked on locked.id = n.id where a.id = locked.id",
        column!(t => t.id.0),
        column!(t => state(&t.course, t.resolved_at).to_owned()),
        column!(t => t.summary.clone()),
        column!(t => t.course.fired_at) as &[Option<DateTime<Utc>>],
        column!(t => t.course.well_since) as &[Option<DateTime<Utc>>],
        column!(t => t.resolved_at) as &[Option<DateTime<Utc>>],
        column!(t => t.due_at) as &[Option<DateTime<Utc>>],
        column!(t => t.tell),
        column!(t => t.covered),
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

async fn start(conn: &mut PgConnection, write: &Write, now: DateTime<Utc>) -> Result<()> {
    let started = &write.started;
    if started.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($s:ident => $value:expr) => {
            &started.iter().map(|$s| $value).collect::<Vec<_>>()[..]
        };
    }
    sqlx::query!(
        "insert into alert (id, rule_id, subject_kind, subject_id, subject_name, summary, state, since, well_since, fired_at, \
         resolved_at, due_at, muted_by, tell_due_at, updated_at) \
         select id, rule_id, subject_kind, subject_id, subject_name, summary, state, since, well_since, fired_at, resolved_at, due_at, \
         case when covered then 'outage' end, case when tell then $15::timestamptz end, $15 \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], \
         $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::bool[], $14::bool[]) \
         as n (id, rule_id, subject_kind, subject_id, subject_name, summary, state, since, well_since, fired_at, resolved_at, due_at, \
         covered, tell)",
        column!(s => s.id.0),
        column!(s => s.rule.0),
        column!(s => s.subject.kind.to_string()),
        column!(s => s.subject.id.clone()),
        column!(s => s.subject.name.clone()),
        column!(s => s.summary.clone()),
        column!(s => state(&s.course, s.resolved_at).to_owned()),
        column!(s => s.course.since),
        column!(s => s.course.well_since) as &[Option<DateTime<Utc>>],
        column!(s => s.course.fired_at) as &[Option<DateTime<Utc>>],
        column!(s => s.resolved_at) as &[Option<DateTime<Utc>>],
        column!(s => s.due_at) as &[Option<DateTime<Utc>>],
        column!(s => s.covered),
        column!(s => s.tell),
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Mutes what a lasting outage tells of, and lets speak what an outage told of that is over. Answers what to announce. `window`: so
/// long before we knew of an outage, what happened belongs to it.
pub async fn cover(conn: &mut PgConnection, window: TimeDelta, now: DateTime<Utc>) -> Result<Vec<Change>> {
    let rows = sqlx::query!(
        "with lasting as ( \
           select o.kind, o.slug, least(o.started_at, o.opened_at - ($1::double precision * interval '1 second')) as since \
           from outage o where o.ended_at is null), \
         now_covered as ( \
           select a.id, a.muted_by, exists (select from lasting o where a.since >= o.since \
             and (o.kind = 'poller' or o.kind = 'platform' and o.slug = c.platform_slug or o.kind = 'source' and o.slug = s.name)) as covered \
           from alert a join connection c on c.id = a.subject_id::uuid join source s on s.id = c.source_id \
           where a.state = 'firing' and a.subject_kind = 'connection' \
             and (a.muted_by = 'outage' or a.muted_by is null and exists (select from lasting))), \
         due as (select a.id, n.covered from alert a join now_covered n on n.id = a.id \
           where n.covered <> (n.muted_by is not null) order by a.id for update of a) \
         update alert a set muted_by = case when due.covered then 'outage' end, \
         tell_due_at = case when due.covered then a.tell_due_at else $2 end, version = a.version + 1, updated_at = $2 \
         from due where a.id = due.id and a.state = 'firing' returning a.id, a.version",
        window.as_seconds_f64(),
        now
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| Change::new(ChangeTopic::Alert, row.id, row.version)).collect())
}

/// Notes who takes an alert. False when it is over, or somebody else's.
pub async fn acknowledge(conn: &mut PgConnection, id: AlertId, by: &str, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update alert set acknowledged_by = $2, acknowledged_at = $3, tell_due_at = $3, version = version + 1, updated_at = $3 \
         where id = $1 and state <> 'resolved' and acknowledged_by is null",
        id.0,
        by,
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many fire that nobody has taken and nothing mutes.
pub async fn firing_untaken(conn: &mut PgConnection) -> Result<u64> {
    sqlx::query_scalar!(
        "select count(*) as \"n!\" from alert where state = 'firing' and acknowledged_by is null and muted_by is null"
    )
    .fetch_one(conn)
    .await
    .map(i64::unsigned_abs)
}

/// How many alerts fire.
pub async fn firing(conn: &mut PgConnection) -> Result<i64> {
    sqlx::query_scalar!("select count(*) as \"n!\" from alert where state = 'firing'").fetch_one(conn).await
}
