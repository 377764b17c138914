//! What failed in the past, and when it was mended: for rules that are tried out.

use super::word;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use model::{Environment, FailureKind, SourceId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// Something that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// When.
    pub at: DateTime<Utc>,
    /// When it was mended; none: it is not.
    pub mended_at: Option<DateTime<Utc>>,
    /// So many at once.
    pub n: u64,
    /// It is counted only as long as its moment lies within the window: nobody mends it.
    pub passing: bool,
}

/// Webhooks taken in one hour of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When the hour began.
    pub hour: DateTime<Utc>,
    /// When the first came.
    pub first_at: DateTime<Utc>,
    /// How many.
    pub n: u64,
}

/// A source, with what failed and what it took.
pub struct OfSource {
    /// Which.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: Environment,
    /// What failed.
    pub failed: Vec<Failed>,
    /// What came.
    pub taken: Vec<Taken>,
}

/// What failed of these kinds through every enabled source and counted at some moment since: what failed after `from`, and what was not
/// mended by then. `lasting`: what is counted until it is mended, whenever it failed; requests turned away are not among that.
pub async fn of_sources(
    conn: &mut PgConnection,
    kinds: &[FailureKind],
    from: DateTime<Utc>,
    now: DateTime<Utc>,
    lasting: bool,
) -> Result<Vec<OfSource>> {
    let mut all = sources(conn).await?;
    let place = |all: &[OfSource], id: Uuid| all.iter().position(|source| source.id.0 == id);
    let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    let since = if lasting { DateTime::UNIX_EPOCH } else { from };
    // what was mended is found by its newest try, which went well
    let mut rows = sqlx::query!(
        "with failed as ( \
           select n.received_at, n.id, n.failed_at, null::timestamptz as mended_at from event_end n \
             where 'processing' = any($1) and n.failed_at > $2 and n.failed_at <= $4 \
           union all select n.received_at, n.id, (select min((t->>'started_at')::timestamptz) from jsonb_array_elements(n.attempts) t \
               where t->>'outcome' <> 'ok'), n.started_at + n.duration_ms * interval '1 millisecond' from event_end n \
             where 'processing' = any($1) and n.attempts is not null and n.failed_at is null and n.started_at > $3 and n.started_at <= $4 \
           union all select d.received_at, d.event_id, d.failed_at, null from delivery d \
             where 'delivery' = any($1) and d.failed_at > $2 and d.failed_at <= $4 \
           union all select d.received_at, d.event_id, (select min((t->>'started_at')::timestamptz) from jsonb_array_elements(d.attempts) t \
               where t->>'outcome' <> 'ok'), d.started_at + d.duration_ms * interval '1 millisecond' from delivery d \
             where 'delivery' = any($1) and d.attempts is not null and d.failed_at is null and d.started_at > $3 and d.started_at <= $4), \
         spelled as ( \
           select e.source_id, f.failed_at as at, f.mended_at, 1::bigint as n, false as passing \
             from failed f join event e on e.received_at = f.received_at and e.id = f.id where f.failed_at is not null \
           union all select c.source_id, g.missed_at, g.came_at, 1, false from gap g join connection c on c.id = g.connection_id \
             where 'gap' = any($1) and g.missed_at > $2 and g.missed_at <= $4 and (g.came_at is null or g.came_at > $3) \
           union all select s.id, d.last_at, null, d.n, true from door_count d join source s on s.name = d.source_name \
             where 'rejection' = any($1) and not $5 and d.outcome <> all(array['taken', 'duplicate']) and d.last_at > $2 and d.last_at <= $4) \
         select source_id as \"source_id!\", at as \"at!\", mended_at, n as \"n!\", passing as \"passing!\" from spelled order by source_id, at",
        &kinds,
        since,
        from,
        now,
        lasting
    )
    .fetch(&mut *conn);
    while let Some(row) = rows.try_next().await? {
        if let Some(source) = place(&all, row.source_id).and_then(|n| all.get_mut(n)) {
            let n = row.n.unsigned_abs();
            source.failed.push(Failed { at: row.at, mended_at: row.mended_at, n, passing: row.passing });
        }
    }
    drop(rows);
    let rows = sqlx::query!(
        "select s.id, d.hour, coalesce(d.first_at, d.hour) as \"first_at!\", d.n from door_count d join source s on s.name = d.source_name \
         where d.outcome = 'taken' and not $3 and d.hour >= date_trunc('hour', $1::timestamptz, 'UTC') and d.hour <= $2 order by s.id, d.hour",
        from,
        now,
        lasting
    );
    for row in rows.fetch_all(conn).await? {
        if let Some(source) = place(&all, row.id).and_then(|n| all.get_mut(n)) {
            source.taken.push(Taken { hour: row.hour, first_at: row.first_at, n: row.n.unsigned_abs() });
        }
    }
    Ok(all)
}

async fn sources(conn: &mut PgConnection) -> Result<Vec<OfSource>> {
    let rows = sqlx::query!("select id, name, environment from source where enabled order by name").fetch_all(conn);
    rows.await?
        .into_iter()
        .map(|row| {
            let environment = word(&row.environment)?;
            Ok(OfSource { id: SourceId(row.id), name: row.name, environment, failed: Vec::new(), taken: Vec::new() })
        })
        .collect()
}

/// Messages to people that failed, in the order of time. One that was sent at last failed first at its first failed try.
pub async fn notifications(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
    lasting: bool,
) -> Result<Vec<Failed>> {
    let since = if lasting { DateTime::UNIX_EPOCH } else { from };
    let rows = sqlx::query!(
        "select failed_at as \"at!\", null::timestamptz as mended_at from notification where failed_at > $1 and failed_at <= $3 \
         union all select first.at, n.sent_at from notification n cross join lateral ( \
           select min((t->>'started_at')::timestamptz) as at from jsonb_array_elements(n.attempts) t where t->>'outcome' <> 'ok') first \
         where n.failed_at is null and n.sent_at > $2 and n.sent_at <= $3 and jsonb_array_length(n.attempts) > 1 and first.at is not null \
         order by 1",
        since,
        from,
        now
    )
    .fetch_all(conn)
    .await?;
    let failed = |at, mended_at| Failed { at, mended_at, n: 1, passing: false };
    Ok(rows.into_iter().map(|row| failed(row.at, row.mended_at)).collect())
}
