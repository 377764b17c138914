//! Whether the webhooks of sources come at all: read from the door's hourly counts.

use crate::health::{Hearing, hearing::stops_after};
use crate::system::concern::Silent;
use chrono::{DateTime, TimeDelta, Utc};
use model::SourceId;
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// The counts of the door reach back so far.
const COUNTED: TimeDelta = TimeDelta::days(13);

/// How the webhooks of a source came.
struct Came {
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    /// Those of more than an hour.
    pauses: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Since when the oldest of any source waits to be worked on.
    waiting_since: Option<DateTime<Utc>>,
}

/// How every source is heard, or one of them; those that are not are left out. What waits to be worked on has not been heard yet.
pub async fn of_sources(
    conn: &mut PgConnection,
    only: Option<SourceId>,
    now: DateTime<Utc>,
) -> Result<HashMap<SourceId, Hearing>> {
    let heard = |came: Came| {
        let at = came.waiting_since.map_or(came.last_at, |waiting| waiting.min(came.last_at));
        Hearing::of(came.first_at, &came.pauses, at)
    };
    Ok(came(conn, only, now).await?.into_iter().map(|(id, came)| (id, heard(came))).collect())
}

/// Sources whose webhooks have stopped for longer than they ever usually do, while they feed connections in real time: of these
/// nothing is known. While ours waits to be worked on, nobody else has stopped.
pub async fn stopped(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Silent>> {
    let mut ids: Vec<Uuid> = Vec::new();
    let mut since = HashMap::new();
    for (id, came) in came(conn, None, now).await? {
        let limit = stops_after(came.first_at, &came.pauses, came.last_at);
        if came.waiting_since.is_none() && limit.is_some_and(|limit| now - came.last_at > limit) {
            ids.push(id.0);
            since.insert(id, came.last_at);
        }
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"select c.source_id, count(*) as "fed!" from connection c join connection_proof p on p.connection_id = c.id
           where c.source_id = any($1) and c.removed_at is null and p.real_time
           and c.cadence_upstream is null and c.cadence_set is null group by c.source_id order by c.source_id"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    let silent = rows.into_iter().filter_map(|row| {
        let source = SourceId(row.source_id);
        Some(Silent { source, missed: 0, fed: row.fed.unsigned_abs(), since: *since.get(&source)? })
    });
    Ok(silent.collect())
}

async fn came(conn: &mut PgConnection, only: Option<SourceId>, now: DateTime<Utc>) -> Result<HashMap<SourceId, Came>> {
    let rows = sqlx::query!(
        r#"with heard as (
             select s.id, coalesce(d.first_at, d.hour) as first_at, d.last_at,
                    lag(d.last_at) over (partition by s.id order by d.hour) as before,
                    lead(d.last_at) over (partition by s.id order by d.hour) is null as newest
             from source s join door_count d on d.source_name = s.name
             where d.outcome = 'taken' and d.hour > $2 and ($1::uuid is null or s.id = $1))
           select id as "id!", first_at as "first_at!", last_at as "last_at!", before,
                  (select min(due_at) from event_due where due_at <= $3) as waiting_since
           from heard where before is null or newest or first_at - before > interval '1 hour' order by id, first_at"#,
        only.map(|id| id.0),
        now - COUNTED,
        now
    )
    .fetch_all(conn)
    .await?;
    let mut all: HashMap<SourceId, Came> = HashMap::new();
    for row in rows {
        let came = all.entry(SourceId(row.id)).or_insert_with(|| Came {
            first_at: row.first_at,
            last_at: row.last_at,
            pauses: Vec::new(),
            waiting_since: row.waiting_since,
        });
        came.last_at = row.last_at;
        let pause = row.before.map(|before| (before, row.first_at));
        came.pauses.extend(pause.filter(|(from, to)| *to - *from > TimeDelta::hours(1)));
    }
    Ok(all)
}
