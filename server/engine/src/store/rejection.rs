//! What came to the webhook door: hourly counts, and a ring of samples of what was turned away.

use super::{event_due::pairs, word};
use chrono::{DateTime, TimeDelta, Utc};
use model::{RejectionId, RejectionReason, SourceId, SourceTraffic};
use sqlx::PgConnection;
use uuid::Uuid;

/// The word under which events that were taken are counted beside those that were not: counting the rows of `event`
/// instead would read a day of bodies.
pub const TAKEN: &str = "taken";
/// Samples kept of one source.
const RING: i64 = 1_000;

/// How many requests of a source ended one way in one hour.
#[derive(Debug)]
pub struct Count<'a> {
    /// The source's name.
    pub source_name: &'a str,
    /// A [`RejectionReason`]'s code, or [`TAKEN`].
    pub outcome: &'static str,
    /// The hour.
    pub hour: DateTime<Utc>,
    /// How many.
    pub n: i64,
    /// When the last of them came.
    pub last_at: DateTime<Utc>,
}

/// One request turned away, kept as a sample.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its id.
    pub id: Uuid,
    /// The source's name.
    pub source_name: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Why it was turned away.
    pub reason: RejectionReason,
    /// Why, in a sentence.
    pub detail: String,
    /// The headers worth keeping, as a JSON list of pairs.
    pub headers: String,
    /// The first bytes of its body.
    pub excerpt: Vec<u8>,
}

/// Adds to the hourly counts.
pub async fn add(conn: &mut PgConnection, counts: &[Count<'_>]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into door_count as kept (source_name, outcome, hour, n, last_at, first_at)
         select *, last_at from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::timestamptz[])
             as counted (source_name, outcome, hour, n, last_at)
         on conflict (source_name, outcome, hour) do update
         set n = kept.n + excluded.n, last_at = greatest(kept.last_at, excluded.last_at),
             first_at = least(kept.first_at, excluded.first_at)",
        &counts.iter().map(|count| count.source_name.to_owned()).collect::<Vec<_>>(),
        &counts.iter().map(|count| count.outcome.to_owned()).collect::<Vec<_>>(),
        &counts.iter().map(|count| count.hour).collect::<Vec<_>>(),
        &counts.iter().map(|count| count.n).collect::<Vec<_>>(),
        &counts.iter().map(|count| count.last_at).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Adds samples, and drops the oldest of their sources' beyond what the ring holds.
pub async fn insert_samples(conn: &mut PgConnection, samples: &[Sample]) -> sqlx::Result<()> {
    if samples.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = samples.iter().map(|sample| sample.source_name.clone()).collect();
    sqlx::query!(
        "insert into rejection (id, source_name, received_at, reason, detail, headers, excerpt)
         select id, source_name, received_at, reason, detail, headers::jsonb, excerpt
         from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::bytea[])
              as row (id, source_name, received_at, reason, detail, headers, excerpt)",
        &samples.iter().map(|sample| sample.id).collect::<Vec<_>>(),
        &names,
        &samples.iter().map(|sample| sample.received_at).collect::<Vec<_>>(),
        &samples.iter().map(|sample| sample.reason.code().to_owned()).collect::<Vec<_>>(),
        &samples.iter().map(|sample| sample.detail.clone()).collect::<Vec<_>>(),
        &samples.iter().map(|sample| sample.headers.clone()).collect::<Vec<_>>(),
        &samples.iter().map(|sample| sample.excerpt.clone()).collect::<Vec<_>>(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from rejection where id in (
             select old.id from (select distinct unnest($1::text[]) as name) as touched,
                  lateral (select id from rejection where source_name = touched.name
                           order by received_at desc, id desc offset $2) as old
         )",
        &names,
        RING,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// What came through the door for a source since a moment, to the hour.
pub async fn traffic(conn: &mut PgConnection, source_name: &str, since: DateTime<Utc>) -> sqlx::Result<SourceTraffic> {
    let rows = sqlx::query!(
        r#"select outcome, sum(n)::bigint as "n!", max(last_at) as "last_at!"
           from door_count where source_name = $1 and hour >= date_trunc('hour', $2::timestamptz, 'UTC')
           group by outcome"#,
        source_name,
        since,
    )
    .fetch_all(conn)
    .await?;
    let mut traffic = SourceTraffic::default();
    for row in rows {
        let n = u64::try_from(row.n).unwrap_or(0);
        if row.outcome == TAKEN {
            traffic.events = n;
            traffic.last_event_at = Some(row.last_at);
        } else if let Ok(reason) = row.outcome.parse() {
            traffic.rejections.insert(reason, n);
            traffic.last_rejection_at = traffic.last_rejection_at.max(Some(row.last_at));
        }
    }
    Ok(traffic)
}

/// Drops the counts of hours that began before this; how many.
pub async fn delete_counts(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from door_count where hour < $1", before).execute(conn).await?.rows_affected())
}

/// Drops samples older than this; how many.
pub async fn delete_samples(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from rejection where received_at < $1", before).execute(conn).await?.rows_affected())
}

/// One sample.
pub async fn get(conn: &mut PgConnection, id: RejectionId) -> sqlx::Result<Option<model::Rejection>> {
    let row = sqlx::query!(
        r#"select source_name, received_at, reason, detail, headers::text as "headers!", excerpt from rejection where id = $1"#,
        id.0,
    );
    let Some(row) = row.fetch_optional(conn).await? else { return Ok(None) };
    Ok(Some(model::Rejection {
        id,
        source: row.source_name,
        received_at: row.received_at,
        reason: word(&row.reason)?,
        detail: row.detail,
        headers: pairs(&row.headers),
        excerpt: String::from_utf8_lossy(&row.excerpt).into_owned(),
    }))
}

/// A source of whose requests every one was turned away for the same reason, since the last that was taken.
#[derive(Debug)]
pub struct ShutOut {
    /// Which.
    pub source: SourceId,
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: RejectionReason,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How many requests. In the hour of the last that was taken only samples tell which came after it.
    pub count: u64,
}

/// The sources, or those of these names or ids, of whose requests every one was turned away for one reason, the last of them
/// within a day.
pub async fn shut_out(conn: &mut PgConnection, sources: &[String], now: DateTime<Utc>) -> sqlx::Result<Vec<ShutOut>> {
    let rows = sqlx::query!(
        r#"with wanted as (
               select id, name, coalesce((select max(last_at) from door_count where source_name = name and outcome = 'taken'),
                                         '-infinity') as taken_at
               from source where cardinality($1::text[]) = 0 or name = any($1) or id::text = any($1)
           ), turned as (
               -- the same id with other bytes is answered as taken
               select w.id, w.name, w.taken_at, d.outcome, max(d.last_at) as last_at,
                      sum(d.n) filter (where d.hour > w.taken_at) as later, min(d.hour) filter (where d.hour > w.taken_at) as hour
               from wanted w join door_count d on d.source_name = w.name
               where d.outcome not in ('taken', 'id_reused') and d.last_at > w.taken_at
               group by w.id, w.name, w.taken_at, d.outcome
           )
           select t.id, t.name, t.outcome, t.hour, coalesce(t.later, 0)::bigint as "later!", s.n as "sampled!", s.first_at,
                  s.n_in_its_hour as "in_its_hour!"
           from turned t cross join lateral (
               select count(*) as n, min(received_at) as first_at,
                      count(*) filter (where received_at < date_trunc('hour', t.taken_at, 'UTC') + interval '1 hour') as n_in_its_hour
               from rejection r where r.source_name = t.name and r.received_at > t.taken_at and r.reason = t.outcome
           ) s
           where t.last_at > $2 and not exists (select from turned o where o.id = t.id and o.outcome <> t.outcome)
           order by t.name"#,
        sources,
        now - TimeDelta::hours(24),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            // the ring may have lost the first samples, the hours begin before what is in them
            let since = match (row.first_at, row.hour) {
                (Some(first), Some(hour)) if row.sampled >= RING => first.min(hour),
                (Some(first), _) => first,
                (None, hour) => hour.unwrap_or(now),
            };
            Ok(ShutOut {
                source: SourceId(row.id),
                name: row.name,
                reason: word(&row.outcome)?,
                since,
                count: (row.later + row.in_its_hour).unsigned_abs(),
            })
        })
        .collect()
}
