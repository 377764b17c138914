//! Outages: the counts they are judged by, and whom they have hit. What people and machines ask of them is in
//! [`super::outage_list`], whom they cover in [`super::cover`].

use super::word;
use crate::health::{Cell, Lasting, Rounds, Subject};
use crate::makini::ErrorClass;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Health, IssueId, OutageId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// The healths that count as failed together. Late is left out: it tells of a deadline and not of a moment.
const FAILED: [Health; 3] = [Health::ReauthorizationRequired, Health::Offline, Health::Failing];

fn failed() -> Vec<String> {
    FAILED.iter().map(|health| health.code().to_owned()).collect()
}

/// Fills in what failed since a moment and still does. First sights are left out, and so is what was broken before we lost sight of
/// it: it did not fail now.
pub async fn fill_failed(conn: &mut PgConnection, cells: &mut [Cell], since: DateTime<Utc>) -> Result<()> {
    let rows = sqlx::query!(
        "select c.platform_slug, s.name as source, count(distinct c.id) as \"failed!\", min(t.at) as first_at \
         from transition t join connection c on c.id = t.connection_id join source s on s.id = c.source_id \
         where t.at > $1 and t.to_health = any($2) and t.from_health <> all($2) and c.health = any($2) and c.since > $1 \
         and c.removed_at is null and (t.from_health <> 'unknown' or not exists ( \
           select from issue i where i.connection_id = c.id and i.state <> 'resolved' and i.opened_at <= $1)) \
         group by c.platform_slug, s.name",
        since,
        &failed()
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let its = |cell: &&mut Cell| cell.platform == row.platform_slug && cell.source == row.source;
        // one that is not there came between two looks: the next one has it
        if let Some(cell) = cells.iter_mut().find(its) {
            (cell.failed, cell.first_at) = (unsigned(row.failed), row.first_at);
        }
    }
    Ok(())
}

/// Every cell with its total, and how many of it fail now, whenever they began to; what failed within the window is left open.
/// From the counters, as this is asked whenever something fails.
pub async fn cells(conn: &mut PgConnection) -> Result<Vec<(Cell, u64)>> {
    let rows = sqlx::query!(
        "select c.platform_slug as \"platform!\", s.name, sum(c.n)::bigint as \"n!\", \
         coalesce(sum(c.n) filter (where c.health = any($1)), 0)::bigint as \"failing!\" from ( \
           select source_id, platform_slug, health, n from connection_count where tag = '' \
           union all \
           select source_id, platform_slug, health, n from connection_count_delta where tag = '') c \
         join source s on s.id = c.source_id group by c.platform_slug, s.name having sum(c.n) > 0",
        &failed()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let total = unsigned(row.n);
            let cell = Cell { platform: row.platform, source: row.name, total, failed: 0, first_at: None };
            (cell, unsigned(row.failing))
        })
        .collect())
}

/// A round that nobody begins for so many intervals is overdue …
const OVERDUE_ROUNDS: i64 = 3;
/// … but never sooner than this.
const OVERDUE_AFTER: TimeDelta = TimeDelta::minutes(2);

/// How the rounds over every enabled source go. Overdue counts from when a process that still says that it lives began to work:
/// after a long pause of all there is nothing wrong yet.
pub async fn rounds(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Rounds>> {
    let rows = sqlx::query!(
        "select name, round_failing_since, attempt, round_error_class, poll_interval_seconds, \
         case when w.since is not null and (lease_until is null or lease_until < $1) then greatest(due_at, w.since) end as idle_since \
         from source cross join (select min(started_at) as since from replica where role <> 'web' and seen_at > $2) w \
         where enabled order by name",
        now,
        now - crate::system::SILENT_AFTER
    )
    .fetch_all(conn)
    .await?;
    let is = |class: &Option<String>, of: &[ErrorClass]| {
        class.as_deref().is_some_and(|class| of.iter().any(|of| of.code() == class))
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let patience = TimeDelta::try_seconds(row.poll_interval_seconds.saturating_mul(OVERDUE_ROUNDS));
            let patience = patience.unwrap_or(OVERDUE_AFTER).max(OVERDUE_AFTER);
            Rounds {
                source: row.name,
                failing_since: row.round_failing_since,
                attempts: row.attempt,
                way_out: is(&row.round_error_class, &[ErrorClass::Unreachable, ErrorClass::CircuitOpen]),
                ours: is(&row.round_error_class, &[ErrorClass::AddressRefused, ErrorClass::Vault]),
                overdue_since: row.idle_since.filter(|since| now - *since > patience),
            }
        })
        .collect())
}

/// An outage that lasts, with what it takes to go on with it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its id.
    pub id: OutageId,
    /// What it is judged by.
    pub lasting: Lasting,
    /// How many connections it has hit in all.
    pub affected: u64,
    /// What is written down of these two; they are told when they differ.
    pub told: (i64, i64),
    /// Grows with every change.
    pub version: i64,
}

/// The outages that last, with fresh counts.
pub async fn lasting(conn: &mut PgConnection) -> Result<Vec<Kept>> {
    let rows = sqlx::query!(
        "select o.id as \"id!\", o.kind as \"kind!\", o.slug as \"slug!\", o.calm_since, o.affected as \"affected!\", \
         o.still_broken as \"still_broken!\", o.version as \"version!\", \
         coalesce(i.cause = 'no_proof', false) as \"blind!\", \
         (select count(*) from outage_connection m where m.outage_id = o.id) as \"hit!\", \
         (select count(*) from outage_connection m join connection c on c.id = m.connection_id \
          where m.outage_id = o.id and c.removed_at is null and c.health = any($1)) as \"broken!\", \
         (select count(*) from connection c left join source s on s.id = c.source_id where c.removed_at is null \
          and (o.kind = 'poller' or o.kind = 'platform' and c.platform_slug = o.slug or o.kind = 'source' and s.name = o.slug)) as \"total!\" \
         from outage o left join issue i on i.outage_id = o.id and i.connection_id is null \
         where o.ended_at is null order by o.id",
        &failed()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            // who cannot be seen is hit, although not known to be broken
            let hit = if row.blind { row.total } else { row.hit };
            Ok(Kept {
                id: OutageId(row.id),
                lasting: Lasting {
                    subject: Subject { kind: word(&row.kind)?, slug: row.slug },
                    blind: row.blind,
                    calm_since: row.calm_since,
                    broken: unsigned(row.broken),
                    total: unsigned(row.total),
                },
                affected: unsigned(hit.max(row.affected)),
                told: (row.affected, row.still_broken),
                version: row.version,
            })
        })
        .collect()
}

/// Begins an outage. None if one of the same subject lasts already. `now`: when we knew.
pub async fn begin(
    conn: &mut PgConnection,
    id: OutageId,
    subject: &Subject,
    started_at: DateTime<Utc>,
    hit: u64,
    now: DateTime<Utc>,
) -> Result<bool> {
    let hit = i64::try_from(hit).unwrap_or(i64::MAX);
    let done = sqlx::query!(
        "insert into outage (id, kind, slug, started_at, opened_at, affected, still_broken) values ($1, $2, $3, $4, $5, $6, $6) \
         on conflict (kind, slug) where ended_at is null do nothing",
        id.0,
        subject.kind.code(),
        subject.slug,
        started_at,
        now,
        hit
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Opens the issue that stands for an outage; outages of the same subject before it count as its recurrences.
pub async fn open_issue(
    conn: &mut PgConnection,
    outage: OutageId,
    issue: IssueId,
    cause: model::Cause,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into issue (id, outage_id, cause, cause_detail, state, opened_at, openings, updated_at) \
         select $2, $1, $3, $4, 'open', $5, array(select b.opened_at from outage b join outage o on o.kind = b.kind and o.slug = b.slug \
           where o.id = $1 and b.id <> $1 and b.opened_at > $5::timestamptz - interval '60 days' order by b.opened_at desc limit 31) \
           || $5::timestamptz, $5",
        outage.0,
        issue.0,
        cause.code(),
        detail,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Notes that an outage is calm since then, or no longer.
pub async fn set_calm(conn: &mut PgConnection, id: OutageId, since: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query!("update outage set calm_since = $2 where id = $1", id.0, since).execute(conn).await.map(drop)
}

/// Writes the counts down, and the end when it is there. Answers the new version.
pub async fn tell(conn: &mut PgConnection, kept: &Kept, ended_at: Option<DateTime<Utc>>) -> Result<i64> {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sqlx::query_scalar!(
        "update outage set affected = $2, still_broken = $3, ended_at = $4, version = version + 1 where id = $1 returning version",
        kept.id.0,
        count(kept.affected),
        count(kept.lasting.broken),
        ended_at
    )
    .fetch_one(conn)
    .await
}

/// Adds the connections that lasting outages have hit since they started. In the order of their ids: their rows are locked for a
/// moment.
pub async fn add_members(conn: &mut PgConnection) -> Result<u64> {
    let done = sqlx::query!(
        "insert into outage_connection (outage_id, connection_id) \
         select o.id, c.id from outage o join connection c on c.removed_at is null and c.health = any($1) and c.since >= o.started_at \
         left join source s on s.id = c.source_id \
         where o.ended_at is null \
         and (o.kind = 'poller' or o.kind = 'platform' and c.platform_slug = o.slug or o.kind = 'source' and s.name = o.slug) \
         and not exists (select from outage_connection m where m.outage_id = o.id and m.connection_id = c.id) \
         order by c.id, o.id on conflict do nothing",
        &failed()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Open issues that belong to an outage that lasts, each with the narrowest: opened while it lasts, or so long before we knew.
pub async fn children(conn: &mut PgConnection, window: TimeDelta) -> Result<Vec<(Uuid, OutageId)>> {
    #[expect(clippy::cast_precision_loss, reason = "seconds of an hour at most")]
    let window = window.num_seconds() as f64;
    let rows = sqlx::query!(
        "select distinct on (i.id) i.id as \"id!\", o.id as \"outage_id!\" from outage o \
         join issue i on i.state = 'open' and i.opened_at >= least(o.started_at, o.opened_at - make_interval(secs => $1)) \
         join connection c on c.id = i.connection_id left join source s on s.id = c.source_id \
         where o.ended_at is null \
         and (o.kind = 'poller' or o.kind = 'platform' and c.platform_slug = o.slug or o.kind = 'source' and s.name = o.slug) \
         order by i.id, case o.kind when 'platform' then 0 when 'source' then 1 else 2 end",
        window
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, OutageId(row.outage_id))).collect())
}

/// Issues that an outage stood for which is over, and which are still broken.
pub async fn orphans(conn: &mut PgConnection) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select i.id from issue i join outage o on o.id = i.outage_id \
         where i.state = 'folded' and i.connection_id is not null and i.well_since is null and o.ended_at is not null"
    )
    .fetch_all(conn)
    .await
}

/// The name of a platform for people.
pub async fn platform_name(conn: &mut PgConnection, slug: &str) -> Result<Option<String>> {
    sqlx::query_scalar!("select name from platform where slug = $1", slug).fetch_optional(conn).await
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
