//! The history of a connection's syncs, as evidence tells it, and what upstream says can be done with its records.

use super::{cursor, internal, word};
use crate::health::{Proved, RefusedFact, SyncFact};
use crate::makini::Described;
use chrono::{DateTime, Utc};
use model::{ConnectionId, EventId, Eye, Page, PageQuery, Refusal, SourceId, Sync};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// The syncs that ended, newest first. Several pieces of evidence that tell of one are one, and a webhook goes first: it knows
/// more. Ends are compared by the second, because not every eye is told more.
pub async fn list(
    conn: &mut PgConnection,
    id: ConnectionId,
    page: &PageQuery,
) -> std::result::Result<Page<Sync>, Refusal> {
    let after: Option<(DateTime<Utc>, Uuid)> = page.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let (at, after_id) = after.unzip();
    let limit = i64::from(page.limit());
    let rows = sqlx::query!(
        "select id as \"id!\", ended_at as \"ended_at!\", eye as \"eye!\", sync as \"sync!\" from ( \
           select distinct on (date_trunc('second', ended_at), sync->>'outcome') * from ( \
             select id, eye, facts->'sync' as sync, (facts->'sync'->>'ended_at')::timestamptz as ended_at \
             from evidence where connection_id = $1 and facts ? 'sync') told \
           order by date_trunc('second', ended_at), sync->>'outcome', (eye = 'webhook') desc, id) one \
         where $2::timestamptz is null or (ended_at, id) < ($2, $3) order by ended_at desc, id desc limit $4",
        id.0,
        at,
        after_id,
        limit + 1
    )
    .fetch_all(conn)
    .await
    .map_err(internal)?;
    let more = rows.len() as i64 > limit;
    let last = rows.get(usize::from(page.limit()) - 1).filter(|_| more).map(|row| (row.ended_at, row.id));
    let items = rows
        .into_iter()
        .take(usize::from(page.limit()))
        .map(|row| {
            let fact = read(row.sync)?;
            Ok(Sync {
                started_at: fact.started_at,
                ended_at: row.ended_at,
                outcome: fact.outcome,
                kind: fact.kind,
                records: fact.records,
                error: fact.error,
                eye: word(&row.eye)?,
            })
        })
        .collect::<Result<Vec<_>>>()
        .map_err(internal)?;
    Ok(Page { items, next_cursor: last.map(|last| cursor::write(&last)) })
}

/// What was really done with records, or refused, as evidence tells it: by the newest 50 syncs that name what they carried, and by the
/// newest 200 errors that name what they refused.
pub async fn proofs(conn: &mut PgConnection, id: ConnectionId) -> Result<Vec<Proved>> {
    let syncs = sqlx::query!(
        "select eye, event_id, facts->'sync' as \"sync!\" from evidence where connection_id = $1 and facts->'sync' ? 'entities' \
         order by received_at desc, id desc limit 50",
        id.0
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut proofs = Vec::new();
    for row in syncs {
        proofs.extend(read(row.sync)?.proofs(word(&row.eye)?, row.event_id.map(EventId)));
    }
    let refused = sqlx::query!(
        "select eye, at, event_id, facts->'refused' as \"refused!\" from evidence where connection_id = $1 and facts ? 'refused' \
         order by received_at desc, id desc limit 200",
        id.0
    )
    .fetch_all(conn)
    .await?;
    for row in refused {
        let fact: RefusedFact =
            serde_json::from_value(row.refused).map_err(|error| sqlx::Error::Decode(error.into()))?;
        proofs.push(fact.proved(row.at, word::<Eye>(&row.eye)?, row.event_id.map(EventId)));
    }
    Ok(proofs)
}

fn read(sync: serde_json::Value) -> Result<SyncFact> {
    serde_json::from_value(sync).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// What upstream says of a connection's platform, and when it was asked. None if there is no such connection.
pub async fn described(
    conn: &mut PgConnection,
    id: ConnectionId,
) -> Result<Option<(Vec<Described>, Option<DateTime<Utc>>)>> {
    let row = sqlx::query!(
        "select p.abilities, p.described_at from connection c join platform p on p.slug = c.platform_slug where c.id = $1",
        id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let described = row.abilities.map(serde_json::from_value).transpose();
        Ok((described.map_err(|error| sqlx::Error::Decode(error.into()))?.unwrap_or_default(), row.described_at))
    })
    .transpose()
}

/// Platforms of a source that upstream was not asked about since then.
pub async fn undescribed(conn: &mut PgConnection, source: SourceId, since: DateTime<Utc>) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        "select p.slug from platform p where (p.described_at is null or p.described_at < $2) and exists ( \
           select from connection c where c.platform_slug = p.slug and c.source_id = $1 and c.removed_at is null) order by p.slug",
        source.0,
        since
    )
    .fetch_all(conn)
    .await
}

/// Writes down that upstream was asked about these platforms, and what it said of each; null: nothing.
pub async fn describe(
    conn: &mut PgConnection,
    platforms: &[(String, Option<serde_json::Value>)],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update platform p set abilities = coalesce(n.abilities, p.abilities), described_at = $3 \
         from unnest($1::text[], $2::jsonb[]) as n (slug, abilities) where p.slug = n.slug",
        &platforms.iter().map(|(slug, _)| slug.clone()).collect::<Vec<_>>(),
        &platforms.iter().map(|(_, abilities)| abilities.clone()).collect::<Vec<_>>() as &[Option<serde_json::Value>],
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}
