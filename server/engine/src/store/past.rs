//! What is kept of the past so that rules can be tried out on it: long pauses of connections, when they turned bad, and pauses of
//! whole sources.

use super::word;
use crate::health::lull::{Lull, LullKind};
use chrono::{DateTime, Utc};
use futures::{Stream, TryStreamExt as _};
use model::{ConnectionId, Environment, SourceId, When};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// Adds pauses that are over.
pub async fn append_lulls(conn: &mut PgConnection, lulls: &[(ConnectionId, Lull)]) -> Result<()> {
    if lulls.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into lull (connection_id, kind, since, ended_at, cadence_seconds) \
         select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])",
        &lulls.iter().map(|(id, _)| id.0).collect::<Vec<_>>(),
        &lulls.iter().map(|(_, lull)| lull.kind.code().to_owned()).collect::<Vec<_>>(),
        &lulls.iter().map(|(_, lull)| lull.since).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &lulls.iter().map(|(_, lull)| lull.ended_at).collect::<Vec<_>>(),
        &lulls.iter().map(|(_, lull)| lull.cadence).collect::<Vec<_>>() as &[Option<i64>]
    )
    .execute(conn)
    .await
    .map(drop)
}

/// These turned bad, now.
pub async fn append_flips(conn: &mut PgConnection, ids: &[ConnectionId], now: DateTime<Utc>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!("insert into flip (connection_id, at) select id, $2 from unnest($1::uuid[]) as n (id)", &ids, now)
        .execute(conn)
        .await
        .map(drop)
}

/// Drops at most so many of what was over before this; how many it were.
pub async fn delete_old(conn: &mut PgConnection, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let lulls = sqlx::query!(
        "delete from lull where ctid in (select ctid from lull where ended_at < $1 order by ended_at limit $2)",
        before,
        most
    );
    let lulls = lulls.execute(&mut *conn).await?.rows_affected();
    let flips = sqlx::query!(
        "delete from flip where ctid in (select ctid from flip where at < $1 order by at limit $2)",
        before,
        most
    );
    Ok(lulls.max(flips.execute(conn).await?.rows_affected()))
}

/// A pause of a connection, over or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When the newest came before it.
    pub since: DateTime<Utc>,
    /// When we knew of a newer one; none: it lasts.
    pub to: Option<DateTime<Utc>>,
    /// The connection's cadence meanwhile, in seconds.
    pub cadence: Option<i64>,
}

/// Hands over the pauses of each connection in the order of time, those that ended after `from` or last, and that were long enough
/// for the rule. One connection after the other.
pub async fn pauses(
    conn: &mut PgConnection,
    kind: LullKind,
    when: &When,
    (from, now): (DateTime<Utc>, DateTime<Utc>),
    take: impl FnMut(ConnectionId, &[Pause]),
) -> Result<()> {
    // what ended tells its own cadence; of what lasts it is the one of now
    let rows = sqlx::query!(
        "with now as materialized ( \
           select c.id, c.first_seen_at, p.last_good_sync_at as good, \
             case when $1 = 'sync' then p.last_good_sync_at else greatest(p.event_at, p.data_at, p.last_good_sync_at, c.first_seen_at) end as since, \
             case when $4::double precision is not null \
               and not (coalesce(p.real_time, false) and c.cadence_upstream is null and c.cadence_set is null) then coalesce(c.cadence_upstream, c.cadence_set, \
               case when cardinality(p.rhythm) >= 5 then \
                 (select percentile_disc(0.8) within group (order by t) from unnest(p.rhythm) t)::bigint end, s.cadence_seconds) end as cadence \
           from connection c join source s on s.id = c.source_id left join connection_proof p on p.connection_id = c.id \
           where c.removed_at is null or c.removed_at > $2), \
         pause as ( \
           select l.connection_id, case when l.kind = 'sync' then l.since else greatest(l.since, n.first_seen_at) end as since, \
             l.ended_at, l.cadence_seconds as cadence \
           from lull l join now n on n.id = l.connection_id where l.kind = $1 and l.ended_at > $2 and l.ended_at <= $3 \
             and (l.since is null \
               or l.ended_at - l.since >= least($4 * l.cadence_seconds, $5::double precision) * interval '1 second') \
           union all select id, since, null, cadence from now) \
         select connection_id as \"connection_id!\", since as \"since!\", ended_at, cadence from pause where since is not null \
         and coalesce(ended_at, $3) - since >= least($4 * cadence, $5) * interval '1 second' \
         order by connection_id, ended_at nulls last",
        kind.code(),
        from,
        now,
        when.cadences,
        seconds(when.seconds)
    )
    .fetch(conn);
    let rows =
        rows.map_ok(|row| (row.connection_id, Pause { since: row.since, to: row.ended_at, cadence: row.cadence }));
    gathered(rows, take).await
}

/// Hands over when each connection turned bad, from a moment on, in the order of time. One connection after the other.
pub async fn flips(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    take: impl FnMut(ConnectionId, &[DateTime<Utc>]),
) -> Result<()> {
    let rows = sqlx::query!(
        "select connection_id, at from flip where at >= $1 and at <= $2 order by connection_id, at",
        from,
        to
    )
    .fetch(conn);
    gathered(rows.map_ok(|row| (row.connection_id, row.at)), take).await
}

/// Hands over what comes in the order of its connections, that of one connection together.
async fn gathered<T>(
    mut rows: impl Stream<Item = Result<(Uuid, T)>> + Unpin,
    mut take: impl FnMut(ConnectionId, &[T]),
) -> Result<()> {
    let (mut of, mut own) = (None, Vec::new());
    while let Some((id, one)) = rows.try_next().await? {
        if let Some(before) = of.replace(id).filter(|before| *before != id) {
            take(ConnectionId(before), &own);
            own.clear();
        }
        own.push(one);
    }
    if let Some(last) = of {
        take(ConnectionId(last), &own);
    }
    Ok(())
}

/// A pause of a source: no webhook came.
pub struct SourcePause {
    /// Which.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: Environment,
    /// When the last came before it, or the source was made.
    pub since: DateTime<Utc>,
    /// When the next came; none: it lasts.
    pub to: Option<DateTime<Utc>>,
}

/// The pauses of every enabled source that were long enough for the rule, in the order of sources and time. Within an hour of the
/// clock only its first and its last webhook are known.
pub async fn source_pauses(
    conn: &mut PgConnection,
    when: &When,
    kept_from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<SourcePause>> {
    let rows = sqlx::query!(
        "with came as ( \
           select source_name, coalesce(first_at, hour) as first_at, last_at from door_count where outcome = 'taken' and last_at <= $1 \
           union all select name, created_at, created_at from source where created_at > $2 \
             or not exists (select from door_count where source_name = name and outcome = 'taken')), \
         pause as (select source_name, last_at as since, \
           lead(first_at) over (partition by source_name order by last_at) as ended_at from came) \
         select s.id, s.name, s.environment, p.since as \"since!\", p.ended_at from pause p join source s on s.name = p.source_name \
         where s.enabled and coalesce(p.ended_at, $1) - p.since >= $3::double precision * interval '1 second' \
         order by s.name, p.since",
        now,
        kept_from,
        seconds(when.seconds)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SourcePause {
                id: SourceId(row.id),
                name: row.name,
                environment: word(&row.environment)?,
                since: row.since,
                to: row.ended_at,
            })
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "seconds of months at most")]
fn seconds(n: Option<i64>) -> Option<f64> {
    n.map(|n| n as f64)
}
