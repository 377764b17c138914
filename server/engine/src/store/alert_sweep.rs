//! What rules ask of time: subjects over a threshold, each kind in one statement.

use super::word;
use crate::system::concern::{Broken, Which};
use chrono::{DateTime, TimeDelta, Utc};
use model::{ChannelId, ConnectionId, EndpointId, Environment, FailureKind, OutageKind, SourceId, When};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// A connection, and from when on it is so.
pub struct Since {
    /// Which.
    pub connection: ConnectionId,
    /// When the last good sync, or anything, came.
    pub last: DateTime<Utc>,
    /// Its cadence in seconds, where it has one.
    pub cadence: Option<i64>,
    /// When it last ceased to be one of those that are not waited for.
    pub free_at: Option<DateTime<Utc>>,
}

/// Connections whose last good sync is older than so many cadences or seconds. What is learned is worked out only where nobody said a
/// cadence; one that is fed in real time has none.
pub async fn late(conn: &mut PgConnection, when: &When, now: DateTime<Utc>) -> Result<Vec<Since>> {
    let rows = sqlx::query!(
        "select c.id, p.last_good_sync_at as \"last!\", k.cadence, (select max(t.at) from transition t \
           where t.connection_id = c.id and t.from_health in ('paused', 'first_sync')) as free_at from connection_proof p join connection c on c.id = p.connection_id \
         join source s on s.id = c.source_id \
         cross join lateral (select case when $2::double precision is null \
           or p.real_time and c.cadence_upstream is null and c.cadence_set is null then null else coalesce(c.cadence_upstream, c.cadence_set, \
           case when cardinality(p.rhythm) >= 5 then \
             (select percentile_disc(0.8) within group (order by t) from unnest(p.rhythm) t)::bigint end, s.cadence_seconds) end as cadence) k \
         where c.removed_at is null and p.last_good_sync_at < $1 and c.health not in ('paused', 'first_sync') \
         and (p.last_good_sync_at <= $1::timestamptz - ($2 * k.cadence * interval '1 second') \
           or p.last_good_sync_at <= $1::timestamptz - ($3::double precision * interval '1 second'))",
        now,
        when.cadences,
        seconds(when.seconds)
    )
    .fetch_all(conn)
    .await?;
    let since = |id, last, cadence, free_at| Since { connection: ConnectionId(id), last, cadence, free_at };
    Ok(rows.into_iter().map(|row| since(row.id, row.last, row.cadence, row.free_at)).collect())
}

/// Connections of which no webhook and no good sync came for so long.
pub async fn silent_connections(conn: &mut PgConnection, when: &When, now: DateTime<Utc>) -> Result<Vec<Since>> {
    let rows = sqlx::query!(
        "select c.id, greatest(p.event_at, p.data_at, p.last_good_sync_at, c.first_seen_at) as \"last!\", (select max(t.at) from transition t \
           where t.connection_id = c.id and t.from_health = 'paused') as free_at from connection c \
         left join connection_proof p on p.connection_id = c.id \
         where c.removed_at is null and c.health <> 'paused' \
         and greatest(p.event_at, p.data_at, p.last_good_sync_at, c.first_seen_at) <= $1::timestamptz - ($2::double precision * interval '1 second')",
        now,
        seconds(when.seconds)
    )
    .fetch_all(conn)
    .await?;
    let since = |id, last, free_at| Since { connection: ConnectionId(id), last, cadence: None, free_at };
    Ok(rows.into_iter().map(|row| since(row.id, row.last, row.free_at)).collect())
}

/// A source as the subject of a rule.
pub struct OfSource {
    /// Which.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: Environment,
    /// When its last webhook came; its making when none did.
    pub last: DateTime<Utc>,
    /// Webhooks taken since a moment.
    pub taken: u64,
    /// What failed.
    pub failed: u64,
}

/// Every enabled source, with its last webhook, how many came within the window, and what failed of these kinds. `older`: only what
/// failed so long ago and is not mended yet counts, whenever it was.
pub async fn sources(
    conn: &mut PgConnection,
    kinds: &[FailureKind],
    window: Option<i64>,
    older: Option<i64>,
    now: DateTime<Utc>,
) -> Result<Vec<OfSource>> {
    let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    let back = |by: Option<i64>| by.and_then(TimeDelta::try_seconds).and_then(|by| now.checked_sub_signed(by));
    let (from, until) = match older {
        Some(_) => (DateTime::UNIX_EPOCH, back(older).unwrap_or(now)),
        None => (back(window).unwrap_or(now), now),
    };
    let rows = sqlx::query!(
        "with failed as ( \
           select e.source_id from event_end n join event e on e.received_at = n.received_at and e.id = n.id \
             where 'processing' = any($1) and n.failed_at > $2 and n.failed_at <= $3 \
           union all select e.source_id from delivery d join event e on e.received_at = d.received_at and e.id = d.event_id \
             where 'delivery' = any($1) and d.failed_at > $2 and d.failed_at <= $3 \
           union all select c.source_id from gap g join connection c on c.id = g.connection_id \
             where 'gap' = any($1) and g.missed_at > $2 and g.missed_at <= $3 and g.came_at is null), \
         counted as (select source_id, count(*) as n from failed group by 1), \
         door as (select source_name, max(last_at) filter (where outcome = 'taken') as last_at, \
             coalesce(sum(n) filter (where outcome = 'taken' and hour >= date_trunc('hour', $2::timestamptz, 'UTC')), 0) as taken, \
             coalesce(sum(n) filter (where 'rejection' = any($1) and $4 and outcome <> all(array['taken', 'duplicate']) and last_at > $2), 0) as refused \
           from door_count group by 1) \
         select s.id, s.name, s.environment, coalesce(d.last_at, s.created_at) as \"last!\", coalesce(d.taken, 0)::bigint as \"taken!\", \
         (coalesce(f.n, 0) + coalesce(d.refused, 0))::bigint as \"failed!\" \
         from source s left join counted f on f.source_id = s.id left join door d on d.source_name = s.name where s.enabled order by s.name",
        &kinds,
        from,
        until,
        older.is_none()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(OfSource {
                id: SourceId(row.id),
                name: row.name,
                environment: word(&row.environment)?,
                last: row.last,
                taken: row.taken.unsigned_abs(),
                failed: row.failed.unsigned_abs(),
            })
        })
        .collect()
}

/// Messages to people that failed within the window, or so long ago and are not sent yet.
pub async fn failed_notifications(
    conn: &mut PgConnection,
    window: Option<i64>,
    older: Option<i64>,
    now: DateTime<Utc>,
) -> Result<u64> {
    let n = sqlx::query_scalar!(
        "select count(*) as \"n!\" from notification where failed_at is not null and case when $3::double precision is null \
         then failed_at > $1::timestamptz - ($2::double precision * interval '1 second') \
         else failed_at <= $1::timestamptz - ($3 * interval '1 second') end",
        now,
        seconds(window),
        seconds(older)
    )
    .fetch_one(conn)
    .await?;
    Ok(n.unsigned_abs())
}

/// An outage as the subject of a rule.
pub struct OutageRow {
    /// Of what.
    pub kind: OutageKind,
    /// A platform's slug, or a source's name.
    pub slug: String,
    /// The platform's or the source's name.
    pub name: String,
    /// The source.
    pub source: Option<(SourceId, Environment)>,
    /// When we knew.
    pub from: DateTime<Utc>,
    /// When it ended.
    pub to: Option<DateTime<Utc>>,
    /// It is that nothing is seen.
    pub blind: bool,
    /// What it says of itself.
    pub text: Option<String>,
}

/// Outages that lasted after a moment, oldest first.
pub async fn outages(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<Vec<OutageRow>> {
    let rows = sqlx::query!(
        "select o.kind, o.slug, coalesce(p.name, o.slug) as \"name!\", s.id as \"source_id?\", s.environment as \"environment?\", \
         o.opened_at, o.ended_at, coalesce(i.cause = 'no_proof', false) as \"blind!\", i.cause_detail as \"text?\" \
         from outage o left join platform p on o.kind = 'platform' and p.slug = o.slug \
         left join source s on o.kind = 'source' and s.name = o.slug \
         left join issue i on i.outage_id = o.id and i.connection_id is null \
         where o.ended_at is null or o.ended_at > $1 order by o.opened_at, o.id",
        since
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let environment = row.environment.as_deref().map(word).transpose()?;
            Ok(OutageRow {
                kind: word(&row.kind)?,
                slug: row.slug,
                name: row.name,
                source: row.source_id.map(SourceId).zip(environment),
                from: row.opened_at,
                to: row.ended_at,
                blind: row.blind,
                text: row.text,
            })
        })
        .collect()
}

/// A secret that is old, or ends soon.
pub struct OldSecret {
    /// Whose, and what that is: a source's, an endpoint's or a channel's.
    pub owner: (String, Uuid),
    /// The owner's name.
    pub name: String,
    /// A source's environment.
    pub environment: Option<Environment>,
    /// What it is for.
    pub kind: String,
    /// When it was put there.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Secrets that people gave us and that are older than so many days, or end within so many. Tokens renew themselves and are left out.
pub async fn old_secrets(conn: &mut PgConnection, when: &When, now: DateTime<Utc>) -> Result<Vec<OldSecret>> {
    let days = |days: Option<u32>| days.map(f64::from);
    let rows = sqlx::query!(
        "select v.owner, v.kind, v.created_at, v.expires_at, case when s.id is not null then 'source' when e.id is not null then 'endpoint' \
         else 'channel' end as \"what!\", coalesce(s.name, e.name, h.name) as \"name!\", s.environment as \"environment?\" \
         from vault_secret v left join source s on s.id = v.owner left join endpoint e on e.id = v.owner and e.removed_at is null \
         left join channel h on h.id = v.owner and h.removed_at is null \
         where v.kind not in ('admin_token', 'connection_token') and coalesce(s.id, e.id, h.id) is not null \
         and (v.created_at <= $1::timestamptz - ($2::double precision * interval '1 day') \
           or v.expires_at <= $1::timestamptz + ($3::double precision * interval '1 day')) order by v.created_at",
        now,
        days(when.days),
        days(when.expires_in_days)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(OldSecret {
                owner: (row.what, row.owner),
                name: row.name,
                environment: row.environment.as_deref().map(word).transpose()?,
                kind: row.kind,
                created_at: row.created_at,
                expires_at: row.expires_at,
            })
        })
        .collect()
}

/// Endpoints whose circuit is open, and channels that fail.
pub async fn broken(conn: &mut PgConnection) -> Result<Vec<Broken>> {
    let rows = sqlx::query!(
        "select true as \"endpoint!\", e.id as \"id!\", e.name as \"name!\", l.open_since as \"since!\" \
         from endpoint_lane l join endpoint e on e.id = l.endpoint_id \
         where l.open_since is not null and e.enabled and e.removed_at is null \
         union all select false, id, name, failing_since from channel \
         where failing_since is not null and enabled and removed_at is null order by 1, 3"
    )
    .fetch_all(conn)
    .await?;
    let which = |endpoint, id| if endpoint { Which::Endpoint(EndpointId(id)) } else { Which::Channel(ChannelId(id)) };
    Ok(rows
        .into_iter()
        .map(|row| Broken { which: which(row.endpoint, row.id), name: row.name, since: row.since })
        .collect())
}

/// Connections that turned bad so often, with the times of their newest turns.
pub async fn flapping(
    conn: &mut PgConnection,
    often: i32,
    since: DateTime<Utc>,
) -> Result<Vec<(ConnectionId, Vec<DateTime<Utc>>)>> {
    let rows = sqlx::query!(
        "select id, flips from connection where removed_at is null and cardinality(flips) >= $1 \
         and flips[cardinality(flips) - $1 + 1] > $2",
        often,
        since
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (ConnectionId(row.id), row.flips)).collect())
}

#[expect(clippy::cast_precision_loss, reason = "seconds of months at most")]
fn seconds(n: Option<i64>) -> Option<f64> {
    n.map(|n| n as f64)
}
