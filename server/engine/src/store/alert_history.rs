//! The past, for rules that are tried out.

use super::maybe_word;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use model::{ConnectionId, Health, SourceId};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// A health of a connection, from a moment on; none: gone upstream.
pub type Turn = (DateTime<Utc>, Option<Health>);

/// Hands over the turns of each of these connections, in the order of time: the newest before the window, and those within. One
/// connection after the other, so that a month of many needs little memory.
pub async fn turns(
    conn: &mut PgConnection,
    ids: &[Uuid],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    mut take: impl FnMut(ConnectionId, &[Turn]),
) -> Result<()> {
    let mut before: HashMap<Uuid, Turn> = HashMap::new();
    let rows = sqlx::query!(
        "select w.id as \"id!\", t.at, t.to_health from unnest($1::uuid[]) as w (id) cross join lateral ( \
           select at, to_health from transition where connection_id = w.id and at < $2 order by at desc, id desc limit 1) t",
        ids,
        from
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in rows {
        before.insert(row.id, (row.at, maybe_word(row.to_health.as_deref())?));
    }
    let mut rows = sqlx::query!(
        "select connection_id, at, to_health from transition where connection_id = any($1) and at >= $2 and at <= $3 \
         order by connection_id, at, id",
        ids,
        from,
        to
    )
    .fetch(conn);
    let (mut of, mut own): (Option<Uuid>, Vec<Turn>) = (None, Vec::new());
    while let Some(row) = rows.try_next().await? {
        if of != Some(row.connection_id) {
            if let Some(id) = of {
                take(ConnectionId(id), &own);
            }
            own.clear();
            own.extend(before.remove(&row.connection_id));
            of = Some(row.connection_id);
        }
        own.push((row.at, maybe_word(row.to_health.as_deref())?));
    }
    if let Some(id) = of {
        take(ConnectionId(id), &own);
    }
    // those to which nothing happened within
    for (id, turn) in before {
        take(ConnectionId(id), &[turn]);
    }
    Ok(())
}

/// When sources could not be seen: by source, from when until when.
pub async fn blindness(
    conn: &mut PgConnection,
    since: DateTime<Utc>,
) -> Result<Vec<(SourceId, DateTime<Utc>, Option<DateTime<Utc>>)>> {
    let rows = sqlx::query!(
        "select s.id, o.opened_at, o.ended_at from outage o join issue i on i.outage_id = o.id and i.connection_id is null \
         join source s on o.kind = 'poller' or o.kind = 'source' and o.slug = s.name \
         where i.cause = 'no_proof' and (o.ended_at is null or o.ended_at > $1) order by o.opened_at",
        since
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (SourceId(row.id), row.opened_at, row.ended_at)).collect())
}

/// When each source could last be seen again, where that was ever lost.
pub async fn seen_again(conn: &mut PgConnection) -> Result<HashMap<SourceId, DateTime<Utc>>> {
    let rows = sqlx::query!(
        "select s.id, max(o.ended_at) as \"at!\" from outage o join issue i on i.outage_id = o.id and i.connection_id is null \
         join source s on o.kind = 'poller' or o.kind = 'source' and o.slug = s.name \
         where i.cause = 'no_proof' and o.ended_at is not null group by s.id"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (SourceId(row.id), row.at)).collect())
}
