//! What is asked about records, of which connection, and when next: rows with a due time, a pair of a connection and an entity each.
//! How often is said by the source, and kept by a due time of its own: so they are never asked all together.

use crate::health::Proved;
use crate::health::record::{Asked, entity_of, kind_of};
use crate::work::spread;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Ability, ConnectionId, Eye, Operation, Source, SourceId, SourceRecords};
use sqlx::{PgConnection, Result};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Webhooks are remembered from so long after somebody wants records to be asked for: what other processes know of sources is
/// a moment old.
const SETTLES: TimeDelta = TimeDelta::seconds(10);

/// A connection whose turn it is, with what it is asked for, under a lease.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Of which source.
    pub source: SourceId,
    /// Which.
    pub connection: ConnectionId,
    /// Upstream's identifier of it.
    pub key: String,
    /// What is asked; at least one.
    pub asks: Vec<Ask>,
    token: Uuid,
}

/// One thing that is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// As in the settings: `eam/assets`.
    pub entity: String,
    /// What changed before is not looked at.
    pub since: DateTime<Utc>,
    /// What changed until then has been read.
    pub asked_to: DateTime<Utc>,
}

/// Adds what sources want to know and is not asked yet, and takes away what nobody wants, or can be known, any more. New ones are
/// spread over the source's interval.
pub async fn fill(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "delete from record_ask a using connection c where c.id = a.connection_id and c.removed_at is not null"
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into record_ask (connection_id, entity, source_id, since, asked_to, due_at) \
         select c.id, e.entity, s.id, $1::timestamptz, $1, $1 + random() * s.record_minutes * interval '1 minute' \
         from source s cross join lateral unnest(s.record_entities) as e (entity) \
         join connection c on c.source_id = s.id and c.removed_at is null \
         where s.enabled and not exists (select from record_ask a where a.connection_id = c.id and a.entity = e.entity) \
         on conflict do nothing",
        now + SETTLES
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Takes away what this source no longer wants to know.
pub async fn forget(conn: &mut PgConnection, source: SourceId) -> Result<()> {
    sqlx::query!(
        "delete from record_ask a using source s where s.id = $1 and a.source_id = s.id and a.entity <> all(s.record_entities)",
        source.0
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Leases the connection that has waited longest, of a source whose turn it is, with all that it is due to be asked. Connections
/// that cannot be asked now are passed over; they wait. The source's next turn comes after its share of the interval.
pub async fn lease(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    token: Uuid,
) -> Result<Option<Turn>> {
    let found = sqlx::query!(
        "select s.id as source_id, s.record_minutes, s.record_connections, a.connection_id, c.key \
         from source s cross join lateral ( \
           select a.connection_id from record_ask a join connection c on c.id = a.connection_id \
           where a.source_id = s.id and a.due_at <= $1 and (a.lease_until is null or a.lease_until < $1) and c.removed_at is null \
           and c.health <> all(array['reauthorization_required', 'offline', 'paused']) order by a.due_at limit 1) a \
         join connection c on c.id = a.connection_id \
         where s.enabled and s.record_entities <> '{}' and (s.record_next_at is null or s.record_next_at <= $1) \
         order by s.record_next_at nulls first limit 1 for no key update of s skip locked",
        now
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let share = TimeDelta::minutes(found.record_minutes.into()) / found.record_connections.max(1);
    sqlx::query!("update source set record_next_at = $2 where id = $1", found.source_id, now + spread(share))
        .execute(&mut *conn)
        .await?;
    let asks = sqlx::query!(
        "update record_ask set lease_until = $3, lease_token = $4 \
         where connection_id = $1 and due_at <= $2 and (lease_until is null or lease_until < $2) \
         returning entity, since, asked_to",
        found.connection_id,
        now,
        until,
        token
    )
    .fetch_all(conn)
    .await?;
    let asks = asks.into_iter().map(|row| Ask { entity: row.entity, since: row.since, asked_to: row.asked_to });
    Ok(Some(Turn {
        source: SourceId(found.source_id),
        connection: ConnectionId(found.connection_id),
        key: found.key,
        asks: asks.collect(),
        token,
    }))
}

/// What an answer comes to.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What changed until then has been read; none: nothing was.
    pub asked_to: Option<DateTime<Utc>>,
    /// Why upstream does not tell, if it does not.
    pub refused: Option<String>,
    /// The status and the code with which upstream itself refused; none where the refusal is not upstream's, as for want of a token.
    pub refusal: Option<(u16, Option<String>)>,
    /// When there was an answer; none: there was none, and what was known of refusals stands.
    pub at: Option<DateTime<Utc>>,
    /// When it is asked again.
    pub due_at: DateTime<Utc>,
}

/// Ends one question. False if the lease was no longer ours.
pub async fn finish(conn: &mut PgConnection, turn: &Turn, entity: &str, answered: &Answered) -> Result<bool> {
    let done = sqlx::query!(
        "update record_ask set lease_until = null, lease_token = null, due_at = $4, asked_to = coalesce($5, asked_to), \
         refused = case when $6::timestamptz is null then refused else $7 end, asked_at = coalesce($6, asked_at), \
         refused_status = case when $6::timestamptz is null then refused_status else $8 end, \
         refused_code = case when $6::timestamptz is null then refused_code else $9 end \
         where connection_id = $1 and entity = $2 and lease_token = $3",
        turn.connection.0,
        entity,
        turn.token,
        answered.due_at,
        answered.asked_to,
        answered.at,
        answered.refused,
        answered.refusal.as_ref().map(|(status, _)| i32::from(*status)),
        answered.refusal.as_ref().and_then(|(_, code)| code.clone())
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Asks nothing more of this source until then: it does not answer, or wants to be left alone.
pub async fn pause(conn: &mut PgConnection, source: SourceId, until: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update source set record_next_at = greatest(record_next_at, $2) where id = $1", source.0, until)
        .execute(conn)
        .await
        .map(drop)
}

/// What asking comes to at each of these sources that asks.
pub async fn sights(conn: &mut PgConnection, sources: &mut [Source]) -> Result<()> {
    for source in sources.iter_mut().filter(|source| !source.record_entities.is_empty()) {
        let row = sqlx::query!(
            "select count(*) as \"asked!\", count(refused) as \"refused!\", min(refused) as refusal, max(asked_at) as last_at \
             from record_ask where source_id = $1",
            source.id.0
        )
        .fetch_one(&mut *conn)
        .await?;
        let told = sqlx::query_scalar!("select kind from record_kind where source_id = $1 order by 1", source.id.0);
        source.records = Some(SourceRecords {
            told: told.fetch_all(&mut *conn).await?,
            asked: row.asked.unsigned_abs(),
            refused: row.refused.unsigned_abs(),
            refusal: row.refusal,
            last_at: row.last_at,
        });
    }
    Ok(())
}

/// What is known of the records of one connection, and how many minutes lie between two questions. None where its source has no
/// webhooks about records.
pub async fn asked(conn: &mut PgConnection, connection: ConnectionId) -> Result<Option<(Vec<Asked>, i64)>> {
    let source = sqlx::query!(
        "select s.id, s.record_entities, s.record_minutes from connection c join source s on s.id = c.source_id \
         where c.id = $1 and s.dialect = 'openapi_2025'",
        connection.0
    );
    let Some(source) = source.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let refused = sqlx::query!("select entity, refused from record_ask where connection_id = $1", connection.0);
    let refused = refused.fetch_all(&mut *conn).await?;
    let kinds = sqlx::query_scalar!("select kind from record_kind where source_id = $1", source.id);
    let kinds = kinds.fetch_all(conn).await?;
    let come: BTreeSet<String> = kinds.iter().filter_map(|kind| Some(kind_of(kind)?.0)).collect();
    let asked = source.record_entities.into_iter().map(|entity| Asked {
        refused: refused.iter().find(|row| row.entity == entity).and_then(|row| row.refused.clone()),
        comes: come.contains(&crate::health::record::entity_of(&entity)),
        entity,
    });
    Ok(Some((asked.collect(), source.record_minutes.into())))
}

/// What asking this connection for its records has proved: that they can be read, or that upstream refuses it.
pub async fn proofs(conn: &mut PgConnection, connection: ConnectionId) -> Result<Vec<Proved>> {
    let rows = sqlx::query!(
        "select entity, asked_at as \"asked_at!\", refused, refused_status, refused_code from record_ask \
         where connection_id = $1 and asked_at is not null",
        connection.0
    )
    .fetch_all(conn)
    .await?;
    let proved =
        rows.into_iter().filter(|row| row.refused.is_none() || row.refused_status.is_some()).map(|row| Proved {
            entity: entity_of(&row.entity),
            operation: Operation::Read,
            ability: if row.refused.is_some() { Ability::No } else { Ability::Yes },
            limit: None,
            at: row.asked_at,
            eye: Eye::Poll,
            code: row.refused_code.filter(|_| row.refused.is_some()),
            message: row.refused,
            event: None,
        });
    Ok(proved.collect())
}
