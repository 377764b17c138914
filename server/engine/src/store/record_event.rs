//! Which records webhooks told of, and what they did not tell of. What is decided here is said by [`crate::health::record`].

use crate::clock::{SharedClock, new_id};
use crate::health::record::{Changed, EARLY, End, Heard, due, end, kind_of};
use crate::live;
use crate::work::Step;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Change, ChangeTopic, ConnectionId, SourceId};
use sqlx::{PgConnection, PgPool, Result};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Rows that one step decides.
const BATCH: i64 = 1_000;
/// While an event waits longer than this to be processed, nothing is decided: it may be the one.
const BACKLOG: TimeDelta = TimeDelta::seconds(5);

/// A webhook named a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    source: SourceId,
    entity: String,
    kind: String,
    record: String,
    at: DateTime<Utc>,
}

/// What a webhook of this word that names these records tells; nothing if the word is none about records.
pub fn told(source: SourceId, word: Option<&str>, records: &[String], at: DateTime<Utc>) -> Vec<Told> {
    let Some((entity, kind)) = word.and_then(kind_of) else { return Vec::new() };
    let one = |record: &String| Told { source, entity: entity.clone(), kind: kind.clone(), record: record.clone(), at };
    records.iter().map(one).collect()
}

/// These came: it is remembered, and whatever they tell of is no longer expected, or came after all.
pub async fn came(conn: &mut PgConnection, told: Vec<Told>, now: DateTime<Utc>) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let (mut kinds, mut records) = (BTreeMap::new(), BTreeMap::new());
    for Told { source, entity, kind, record, at } in told {
        let first = kinds.entry((source.0, kind)).or_insert(at);
        *first = at.min(*first);
        let last = records.entry((source.0, entity, record)).or_insert(at);
        *last = at.max(*last);
    }
    let kinds: Vec<_> = kinds.into_iter().map(|((source, kind), at)| (source, (kind, at))).collect();
    let (sources, rest): (Vec<_>, Vec<_>) = kinds.into_iter().unzip();
    let (names, times): (Vec<_>, Vec<_>) = rest.into_iter().unzip();
    // sorted, as all that follows: two processes never wait for each other in a ring
    sqlx::query!(
        "insert into record_kind (source_id, kind, first_at) \
         select n.source_id, n.kind, n.at from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as n (source_id, kind, at) \
         order by 1, 2 on conflict do nothing",
        &sources,
        &names,
        &times
    )
    .execute(&mut *conn)
    .await?;
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((source, entity, record), at) in records {
        columns.0.push(source);
        columns.1.push(entity);
        columns.2.push(record);
        columns.3.push(at);
    }
    sqlx::query!(
        "insert into record_event (source_id, entity, record_id, last_at) \
         select n.source_id, n.entity, n.record_id, n.at \
         from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as n (source_id, entity, record_id, at) order by 1, 2, 3 \
         on conflict (source_id, entity, record_id) do update set last_at = greatest(record_event.last_at, excluded.last_at)",
        &columns.0,
        &columns.1,
        &columns.2,
        &columns.3
    )
    .execute(&mut *conn)
    .await?;
    let rows = sqlx::query!(
        "select g.id, g.happened_at, coalesce(g.due_at, g.missed_at) as \"due_at!\", e.last_at \
         from gap g join connection c on c.id = g.connection_id \
         join record_event e on e.source_id = c.source_id and e.entity = split_part(g.kind, '.', 1) and e.record_id = g.record_id \
         where g.record_id = any($1) and g.came_at is null and c.source_id = any($2) order by g.id for update of g",
        &columns.2,
        &columns.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let ends = rows.into_iter().map(|row| {
        let end = end(row.happened_at, row.due_at, Some(row.last_at), now);
        // one that came in time and was only processed late was never missed
        (row.id, end, row.last_at, (end == End::Late).then_some(row.due_at))
    });
    close(conn, ends.filter(|(_, end, ..)| matches!(end, End::Came | End::Late))).await
}

/// Writes down that these came, and whether they had been missed.
async fn close(
    conn: &mut PgConnection,
    ends: impl Iterator<Item = (Uuid, End, DateTime<Utc>, Option<DateTime<Utc>>)>,
) -> Result<()> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (id, _, came, missed) in ends {
        columns.0.push(id);
        columns.1.push(came);
        columns.2.push(missed);
    }
    if columns.0.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update gap g set due_at = null, came_at = n.came_at, missed_at = n.missed_at \
         from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as n (id, came_at, missed_at) where g.id = n.id",
        &columns.0,
        &columns.1,
        &columns.2 as &[Option<DateTime<Utc>>]
    )
    .execute(conn)
    .await
    .map(drop)
}

/// What webhooks of this source have told of these records, and which kinds ever came.
pub async fn heard(conn: &mut PgConnection, source: SourceId, entity: &str, ids: &[String]) -> Result<Heard> {
    let kinds = sqlx::query!("select kind, first_at from record_kind where source_id = $1", source.0);
    let kinds = kinds.fetch_all(&mut *conn).await?.into_iter().map(|row| (row.kind, row.first_at)).collect();
    let records = sqlx::query!(
        "select record_id, last_at from record_event where source_id = $1 and entity = $2 and record_id = any($3)",
        source.0,
        entity,
        ids
    );
    let records = records.fetch_all(conn).await?.into_iter().map(|row| (row.record_id, row.last_at)).collect();
    Ok(Heard { kinds, records })
}

/// Expects webhooks about these changes of a connection's records; each once, although what is known of upstream's clock, and so the
/// time of a change by ours, may be a little different when it is read again.
pub async fn expect(
    conn: &mut PgConnection,
    connection: ConnectionId,
    changed: &[Changed],
    window: TimeDelta,
    now: DateTime<Utc>,
) -> Result<u64> {
    let ids: Vec<Uuid> = changed.iter().map(|_| new_id()).collect();
    let kinds: Vec<String> = changed.iter().map(|one| one.kind.clone()).collect();
    let records: Vec<String> = changed.iter().map(|one| one.record.clone()).collect();
    let times: Vec<DateTime<Utc>> = changed.iter().map(|one| one.at).collect();
    let dues: Vec<DateTime<Utc>> = changed.iter().map(|one| due(one.at, now, window)).collect();
    let done = sqlx::query!(
        "insert into gap (id, connection_id, kind, record_id, happened_at, found_at, due_at) \
         select n.id, $1, n.kind, n.record_id, n.happened_at, $7, n.due_at \
         from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[]) \
           as n (id, kind, record_id, happened_at, due_at) \
         where not exists (select from gap o where o.connection_id = $1 and o.kind = n.kind and o.record_id = n.record_id \
           and o.happened_at between n.happened_at - ($8::double precision * interval '1 second') \
             and n.happened_at + ($8::double precision * interval '1 second')) on conflict do nothing",
        connection.0,
        &ids,
        &kinds,
        &records,
        &times,
        &dues,
        now,
        EARLY.as_seconds_f64()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Decides what is due, and tells who looks. An event that came and waits to be processed may tell of it: then it waits too.
///
/// # Errors
/// When the database fails.
pub async fn step(pool: &PgPool, clock: &SharedClock) -> Result<Step> {
    let now = clock.now();
    let mut tx = pool.begin().await?;
    let rows = sqlx::query!(
        "select g.id, g.connection_id, c.source_id, g.kind, g.record_id as \"record_id!\", g.happened_at, g.due_at as \"due_at!\", c.version \
         from gap g join connection c on c.id = g.connection_id \
         where g.due_at <= $1 and g.record_id is not null and not exists (select from event_due where due_at < $2) \
         order by g.id limit $3 for update of g skip locked",
        now,
        now - BACKLOG,
        BATCH
    )
    .fetch_all(&mut *tx)
    .await?;
    if rows.is_empty() {
        return Ok(Step::Idle);
    }
    // only now, that the rows are ours: whoever tells of them from here on finds them decided, and closes them
    let records: Vec<_> = rows.iter().map(|row| row.record_id.clone()).collect();
    let sources: Vec<_> = rows.iter().map(|row| row.source_id).collect();
    let heard: HashMap<_, _> = sqlx::query!(
        "select source_id, entity, record_id, last_at from record_event where record_id = any($1) and source_id = any($2)",
        &records,
        &sources
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .map(|row| ((row.source_id, row.entity, row.record_id), row.last_at))
    .collect();
    let (mut came, mut missed, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let entity = row.kind.split('.').next().unwrap_or_default().to_owned();
        let told = heard.get(&(row.source_id, entity, row.record_id)).copied();
        match (end(row.happened_at, row.due_at, told, now), told) {
            (ended @ (End::Came | End::Late), Some(at)) => {
                came.push((row.id, ended, at, (ended == End::Late).then_some(row.due_at)));
            }
            _ => {
                missed.push(row.id);
                changes.push(Change::quiet(ChangeTopic::Connection, row.connection_id, row.version));
                metrics::counter!("linewatch_gaps_total", "kind" => row.kind).increment(1);
            }
        }
    }
    close(&mut tx, came.into_iter()).await?;
    sqlx::query!("update gap set missed_at = due_at, due_at = null where id = any($1)", &missed)
        .execute(&mut *tx)
        .await?;
    live::announce(&mut tx, &changes).await?;
    tx.commit().await?;
    Ok(Step::Busy)
}

/// Forgets records that no webhook named since; what changed before is no longer asked for. How many.
pub async fn delete_old(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!("delete from record_event where last_at < $1", before - EARLY).execute(conn).await?;
    Ok(done.rows_affected())
}
