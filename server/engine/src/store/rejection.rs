//! What came to the webhook door: hourly counts, and a ring of samples of what was turned away.

use chrono::{DateTime, Utc};
use model::{RejectionReason, SourceTraffic};
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
        "insert into door_count as kept (source_name, outcome, hour, n, last_at)
         select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::timestamptz[])
         on conflict (source_name, outcome, hour) do update
         set n = kept.n + excluded.n, last_at = greatest(kept.last_at, excluded.last_at)",
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
