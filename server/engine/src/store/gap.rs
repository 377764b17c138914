//! Gaps: what must have been told by a webhook and was not.

use super::word;
use crate::clock::{SharedClock, new_id};
use crate::health::gap::{Came, Expected, Gap, GapKind, SAME, fulfil};
use crate::live;
use crate::system::concern::Silent;
use crate::work::Step;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Change, ChangeTopic, ConnectionId, ConnectionRef, GapId, GapView, SourceId};
use sqlx::{PgConnection, PgPool, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// A source that has told nothing for so long tells nothing at all: what it does not tell is no gap.
const KNOWN_TO_TELL: TimeDelta = TimeDelta::hours(24);
/// Counts of the door are kept at least so long.
const COUNTED: TimeDelta = TimeDelta::days(13);
/// A webhook may come this much before the time that a poll tells of.
const EARLY: TimeDelta = TimeDelta::minutes(1);
/// Rows that one step decides.
const BATCH: i64 = 1_000;

/// Expects the webhooks of these, until the end of the window; only from sources whose webhooks are known to come, and whose
/// dialect has webhooks about connections. One that an
/// event as new as that sync has told already is not expected. Says how many are.
pub async fn expect(
    conn: &mut PgConnection,
    expected: &[Expected],
    window: TimeDelta,
    now: DateTime<Utc>,
) -> Result<u64> {
    let ids: Vec<Uuid> = expected.iter().map(|_| new_id()).collect();
    let connections: Vec<Uuid> = expected.iter().map(|one| one.connection.0).collect();
    let kinds: Vec<String> = expected.iter().map(|one| one.kind.code().to_owned()).collect();
    let times: Vec<DateTime<Utc>> = expected.iter().map(|one| one.happened_at).collect();
    // an event up to five seconds older than the sync tells of it
    let told: Vec<Option<DateTime<Utc>>> =
        expected.iter().map(|one| (one.kind == GapKind::SyncCompleted).then(|| one.happened_at - SAME)).collect();
    let done = sqlx::query!(
        "insert into gap (id, connection_id, kind, happened_at, found_at, due_at) \
         select n.id, n.connection_id, n.kind, n.happened_at, $6, $7 \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[]) \
           as n (id, connection_id, kind, happened_at, told_from) \
         join connection c on c.id = n.connection_id join source s on s.id = c.source_id \
         left join connection_proof p on p.connection_id = c.id \
         where s.dialect = 'faq_v1' and coalesce(p.event_at < n.told_from, true) and exists (select from door_count d where d.source_name = s.name \
           and d.outcome = 'taken' and d.hour > $8::timestamptz - interval '1 hour' and d.last_at > $8) \
         on conflict do nothing",
        &ids,
        &connections,
        &kinds,
        &times,
        &told as &[Option<DateTime<Utc>>],
        now,
        now + window,
        now - KNOWN_TO_TELL
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// These webhooks came: whatever they tell of is no longer expected, or came after all. In the order of their receipt.
pub async fn came(conn: &mut PgConnection, came: &[Came], window: TimeDelta, now: DateTime<Utc>) -> Result<()> {
    let connections: Vec<Uuid> = came.iter().map(|one| one.connection.0).collect();
    let rows = sqlx::query!(
        "select id, connection_id, kind, happened_at, coalesce(due_at, missed_at) as \"due_at!\", missed_at from gap \
         where connection_id = any($1) and came_at is null and record_id is null order by id for update",
        &connections
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut gaps = rows
        .into_iter()
        .map(|row| {
            let connection = ConnectionId(row.connection_id);
            let expected = Expected { connection, kind: word(&row.kind)?, happened_at: row.happened_at };
            Ok(Gap { id: row.id, expected, due_at: row.due_at, missed_at: row.missed_at, came_at: None })
        })
        .collect::<Result<Vec<_>>>()?;
    let told: Vec<Gap> = came.iter().filter_map(|one| fulfil(&mut gaps, *one, window, now)).collect();
    if told.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = told.iter().map(|gap| gap.id).collect();
    let missed: Vec<Option<DateTime<Utc>>> = told.iter().map(|gap| gap.missed_at).collect();
    sqlx::query!(
        "update gap g set due_at = null, came_at = $3, missed_at = n.missed_at \
         from unnest($1::uuid[], $2::timestamptz[]) as n (id, missed_at) where g.id = n.id",
        &ids,
        &missed as &[Option<DateTime<Utc>>],
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// How many webhooks of each of these connections were missed in a row, with none that came since; those with none are left out.
pub async fn misses(conn: &mut PgConnection, connections: &[ConnectionId]) -> Result<HashMap<ConnectionId, i64>> {
    let ids: Vec<Uuid> = connections.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        "select g.connection_id, count(*) as \"n!\" from gap g left join connection_proof p on p.connection_id = g.connection_id \
         where g.connection_id = any($1) and g.missed_at is not null and g.came_at is null and g.record_id is null \
         and g.happened_at > coalesce(p.event_at, '-infinity') \
         and g.found_at > coalesce((select max(o.came_at) from gap o where o.connection_id = g.connection_id), '-infinity') \
         group by g.connection_id",
        &ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (ConnectionId(row.connection_id), row.n)).collect())
}

/// The sources whose webhooks were missed within the last day, with none taken since.
pub async fn silent(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Silent>> {
    let rows = sqlx::query!(
        "select c.source_id, count(*) as \"missed!\", min(g.found_at) as \"since!\" \
         from gap g join connection c on c.id = g.connection_id join source s on s.id = c.source_id \
         left join (select source_name, max(last_at) as last_at from door_count where outcome = 'taken' group by source_name) d \
           on d.source_name = s.name \
         where g.missed_at > $1 and g.came_at is null and g.found_at > coalesce(d.last_at, '-infinity') \
         group by c.source_id order by c.source_id",
        now - KNOWN_TO_TELL
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Silent {
            source: SourceId(row.source_id),
            missed: row.missed.unsigned_abs(),
            fed: 0,
            since: row.since,
        })
        .collect())
}

/// Marks what is missed by now, `window` after it was found, and tells who looks.
///
/// # Errors
/// When the database fails.
pub async fn step(pool: &PgPool, clock: &SharedClock, window: TimeDelta) -> Result<Step> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query!(
        "with due as (select id from gap where due_at is not null and record_id is null and found_at <= $1 order by found_at limit $2 for update skip locked) \
         update gap g set missed_at = g.found_at + ($3::double precision * interval '1 second'), due_at = null from due d, connection c \
         where g.id = d.id and c.id = g.connection_id returning g.connection_id, g.kind, c.version",
        clock.now() - window,
        BATCH,
        window.as_seconds_f64()
    )
    .fetch_all(&mut *tx)
    .await?;
    if rows.is_empty() {
        return Ok(Step::Idle);
    }
    // on its own page it is news; no total, filter or order rests on it
    let changes: Vec<_> =
        rows.iter().map(|row| Change::quiet(ChangeTopic::Connection, row.connection_id, row.version)).collect();
    live::announce(&mut tx, &changes).await?;
    tx.commit().await?;
    for row in rows {
        metrics::counter!("linewatch_gaps_total", "kind" => row.kind).increment(1);
    }
    Ok(Step::Busy)
}

/// One that was missed, with what is known of where it was lost.
pub async fn get(conn: &mut PgConnection, id: GapId, now: DateTime<Utc>) -> Result<Option<GapView>> {
    let row = sqlx::query!(
        r#"select g.connection_id, c.name as connection, s.id as source_id, s.name as source, g.kind, g.record_id, g.happened_at,
                  g.found_at, g.missed_at as "missed_at!", g.came_at
           from gap g join connection c on c.id = g.connection_id join source s on s.id = c.source_id
           where g.id = $1 and g.missed_at is not null"#,
        id.0
    );
    let Some(row) = row.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let from = row.happened_at - EARLY;
    let others = if row.missed_at < now - COUNTED {
        None
    } else {
        Some(others_came(conn, row.source_id, &row.source, from, row.missed_at).await?)
    };
    let mut explanation = explain(row.came_at.is_some(), others, from, row.missed_at);
    if let Some(record) = &row.record_id {
        explanation.push_str(&format!(
            " It would have told of the record {record}. That it changed was read from Makini, which is the proof; what changed in it is \
             not kept."
        ));
    }
    Ok(Some(GapView {
        id,
        connection: ConnectionRef { id: ConnectionId(row.connection_id), name: row.connection },
        source: row.source,
        kind: row.kind,
        happened_at: row.happened_at,
        found_at: row.found_at,
        missed_at: row.missed_at,
        came_at: row.came_at,
        explanation,
    }))
}

/// Whether webhooks of this source were taken between these moments. The hourly counts nearly always tell; where an hour
/// reaches beyond, the events do.
async fn others_came(
    conn: &mut PgConnection,
    source: Uuid,
    name: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<bool> {
    let row = sqlx::query!(
        r#"select exists (select from door_count where source_name = $1 and outcome = 'taken' and last_at between $2 and $3) as "sure!",
                  exists (select from door_count where source_name = $1 and outcome = 'taken'
                          and hour <= $3 and last_at > $3) as "perhaps!""#,
        name,
        from,
        to
    )
    .fetch_one(&mut *conn)
    .await?;
    if row.sure || !row.perhaps {
        return Ok(row.sure);
    }
    sqlx::query_scalar!(
        r#"select exists (select from event where received_at between $1 and $2 and source_id = $3) as "came!""#,
        from,
        to,
        source
    )
    .fetch_one(conn)
    .await
}

/// Where it was probably lost. `others`: whether other webhooks of its source came meanwhile, if that is still known.
fn explain(came: bool, others: Option<bool>, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let clock = |at: DateTime<Utc>| at.format("%H:%M");
    match (came, others) {
        (true, _) => "It came after all, later than its window: it was held up on its way.".to_owned(),
        (false, Some(true)) => {
            "Other webhooks of this source arrived meanwhile, so it was probably lost at the sender.".to_owned()
        }
        (false, Some(false)) => format!(
            "No webhook of this source arrived between {} and {} UTC: the way to Linewatch was probably broken, or nothing was sent.",
            clock(from),
            clock(to)
        ),
        (false, None) => "Whether other webhooks of this source arrived then is no longer known.".to_owned(),
    }
}

/// Drops those that were decided before this; how many.
pub async fn delete_old(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!("delete from gap where due_at is null and found_at < $1", before).execute(conn).await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_it_was_probably_lost() {
        let (from, to) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::minutes(10));
        assert!(explain(false, Some(true), from, to).contains("lost at the sender"));
        assert!(explain(false, Some(false), from, to).contains("between 00:00 and 00:10 UTC"));
        assert!(explain(true, Some(false), from, to).contains("held up"));
        assert!(explain(false, None, from, to).contains("no longer known"));
    }
}
