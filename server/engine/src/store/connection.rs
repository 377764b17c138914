//! Connections: reading, locking and saving what is known of them.

use super::{maybe_word, word};
use crate::health::{Described, Dimension, Known, Pulse, Rhythm, State};
use chrono::{DateTime, Utc};
use model::{ConnectionId, CustomerId, Eye, SourceId};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The row behind a [`State`].
struct Row {
    id: Uuid,
    source_id: Uuid,
    key: String,
    name: String,
    email: Option<String>,
    customer_id: Uuid,
    customer_name: Option<String>,
    platform_slug: String,
    platform_name: Option<String>,
    tags: Vec<String>,
    raw_status: Option<String>,
    upstream: Option<serde_json::Value>,
    upstream_error: Option<String>,
    authorization_: String,
    authorization_at: DateTime<Utc>,
    authorization_eye: String,
    authorization_cause: Option<String>,
    flow: String,
    flow_at: DateTime<Utc>,
    flow_eye: String,
    flow_cause: Option<String>,
    flow_detail: Option<String>,
    busy_since: Option<DateTime<Utc>>,
    cadence_set: Option<i64>,
    cadence_upstream: Option<i64>,
    authorization_shown: String,
    data_flow: String,
    health: String,
    cause: Option<String>,
    cause_detail: Option<String>,
    since: DateTime<Utc>,
    flips: Vec<DateTime<Utc>>,
    judge_due_at: Option<DateTime<Utc>>,
    check_due_at: Option<DateTime<Utc>>,
    check_reason: Option<String>,
    removed_at: Option<DateTime<Utc>>,
    absent_since: Option<DateTime<Utc>>,
    version: i64,
    proof_at: Option<DateTime<Utc>>,
    proof_eye: Option<String>,
    recorded_at: Option<DateTime<Utc>>,
    event_at: Option<DateTime<Utc>>,
    last_good_sync_at: Option<DateTime<Utc>>,
    rhythm: Option<Vec<i32>>,
    syncs: Option<i32>,
    heard_at: Option<DateTime<Utc>>,
    data_at: Option<DateTime<Utc>>,
    well_since: Option<DateTime<Utc>>,
    pulse_since: Option<DateTime<Utc>>,
    pulse: Option<Vec<i32>>,
}

impl TryFrom<Row> for State {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self> {
        let proof = match (row.proof_at, row.proof_eye.as_deref()) {
            (Some(at), Some(eye)) => Some((at, word::<Eye>(eye)?)),
            _ => None,
        };
        Ok(Self {
            id: ConnectionId(row.id),
            source_id: SourceId(row.source_id),
            key: row.key,
            name: row.name,
            email: row.email,
            customer_id: CustomerId(row.customer_id),
            platform_slug: row.platform_slug,
            tags: row.tags,
            raw_status: row.raw_status,
            described: match (row.customer_name, row.platform_name, row.upstream) {
                (Some(customer_name), Some(platform_name), Some(upstream)) => {
                    Some(Arc::new(Described { customer_name, platform_name, upstream }))
                }
                _ => None,
            },
            upstream_error: row.upstream_error,
            known: Known {
                authorization: proved(
                    Dimension {
                        value: word(&row.authorization_)?,
                        at: row.authorization_at,
                        eye: word(&row.authorization_eye)?,
                        cause: maybe_word(row.authorization_cause.as_deref())?,
                    },
                    proof,
                ),
                flow: proved(
                    Dimension {
                        value: word(&row.flow)?,
                        at: row.flow_at,
                        eye: word(&row.flow_eye)?,
                        cause: maybe_word(row.flow_cause.as_deref())?,
                    },
                    proof,
                ),
                detail: row.flow_detail,
                event_at: row.event_at,
                last_good_sync_at: row.last_good_sync_at,
                cadence_upstream: row.cadence_upstream,
                rhythm: Rhythm { intervals: row.rhythm.unwrap_or_default(), syncs: row.syncs.unwrap_or(0) },
                pulse: Pulse::stored(
                    row.heard_at,
                    row.data_at,
                    row.well_since,
                    row.pulse_since,
                    &row.pulse.unwrap_or_default(),
                ),
                busy_since: row.busy_since,
            },
            cadence_set: row.cadence_set,
            proof,
            recorded_at: row.recorded_at,
            authorization: word(&row.authorization_shown)?,
            data_flow: word(&row.data_flow)?,
            health: word(&row.health)?,
            cause: maybe_word(row.cause.as_deref())?,
            cause_detail: row.cause_detail,
            since: row.since,
            flips: row.flips,
            judge_due_at: row.judge_due_at,
            check_due_at: row.check_due_at,
            check_reason: row.check_reason,
            removed_at: row.removed_at,
            absent_since: row.absent_since,
            version: row.version,
        })
    }
}

/// A poll speaks of both dimensions, and one that only confirms is written down as proof alone: so what is known is as
/// young as the newest such proof.
fn proved<T>(known: Dimension<T>, proof: Option<(DateTime<Utc>, Eye)>) -> Dimension<T> {
    match proof {
        Some((at, eye)) if eye != Eye::Webhook && at > known.at => Dimension { at, eye, ..known },
        _ => known,
    }
}

/// The select behind every read of a [`State`], `described` or `bare`; what follows is the rest of the statement.
macro_rules! states {
    (described, $rest:literal, $conn:expr $(, $arg:expr)*) => {
        states!(
            "u.name as \"customer_name?\", p.name as \"platform_name?\", c.upstream as \"upstream?\"",
            "join customer u on u.id = c.customer_id join platform p on p.slug = c.platform_slug ",
            $rest,
            $conn $(, $arg)*
        )
    };
    (bare, $rest:literal, $conn:expr $(, $arg:expr)*) => {
        states!(
            "null::text as \"customer_name?\", null::text as \"platform_name?\", null::jsonb as \"upstream?\"",
            "",
            $rest,
            $conn $(, $arg)*
        )
    };
    ($description:literal, $joins:literal, $rest:literal, $conn:expr $(, $arg:expr)*) => {
        sqlx::query_as!(
            Row,
            "select c.id, c.source_id, c.key, c.name, c.email, c.customer_id, c.platform_slug, " + $description + ", \
             c.tags, c.raw_status, c.upstream_error, c.authorization_, c.authorization_at, \
             c.authorization_eye, c.authorization_cause, c.flow, c.flow_at, c.flow_eye, c.flow_cause, c.flow_detail, \
             c.busy_since, c.flips, c.cadence_set, c.cadence_upstream, c.authorization_shown, c.data_flow, c.health, c.cause, \
             c.cause_detail, c.since, c.judge_due_at, c.check_due_at, c.check_reason, c.removed_at, c.absent_since, c.version, \
             pr.proof_at as \"proof_at?\", pr.eye as \"proof_eye?\", pr.recorded_at as \"recorded_at?\", \
             pr.event_at as \"event_at?\", pr.last_good_sync_at as \"last_good_sync_at?\", pr.rhythm as \"rhythm?\", pr.syncs as \"syncs?\", \
             pr.heard_at as \"heard_at?\", pr.data_at as \"data_at?\", pr.well_since as \"well_since?\", pr.pulse_since as \"pulse_since?\", \
             pr.pulse as \"pulse?\" \
             from connection c " + $joins + "left join connection_proof pr on pr.connection_id = c.id " + $rest
            $(, $arg)*
        )
        .fetch_all($conn)
        .await?
        .into_iter()
        .map(State::try_from)
        .collect::<Result<Vec<_>>>()
    };
}

/// Locks connections in the order of their ids, so that batches cannot lock each other out. How they are described is not read:
/// most of what comes says nothing of that.
pub async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<State>> {
    states!(bare, "where c.id = any($1) order by c.id for update of c", conn, ids)
}

/// The same, described.
pub async fn lock_described(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<State>> {
    states!(described, "where c.id = any($1) order by c.id for update of c", conn, ids)
}

/// A source's connections with these keys, without a lock.
pub async fn by_keys(conn: &mut PgConnection, source: SourceId, keys: &[String]) -> Result<Vec<State>> {
    states!(described, "where c.source_id = $1 and c.key = any($2)", conn, source.0, keys)
}

/// Reads how those of them are described that have these ids.
pub async fn describe(conn: &mut PgConnection, states: &mut [State], ids: &[Uuid]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        "select c.id, u.name as customer_name, p.name as platform_name, c.upstream from connection c \
         join customer u on u.id = c.customer_id join platform p on p.slug = c.platform_slug where c.id = any($1)",
        ids
    )
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<Uuid, Described> = rows
        .into_iter()
        .map(|row| {
            let (customer_name, platform_name, upstream) = (row.customer_name, row.platform_name, row.upstream);
            (row.id, Described { customer_name, platform_name, upstream })
        })
        .collect();
    for state in states {
        if let Some(described) = found.remove(&state.id.0) {
            state.described = Some(Arc::new(described));
        }
    }
    Ok(())
}

/// Ids of connections by source and key.
pub async fn ids_by_keys(
    conn: &mut PgConnection,
    sources: &[Uuid],
    keys: &[String],
) -> Result<Vec<(SourceId, String, ConnectionId)>> {
    let rows = sqlx::query!(
        "select c.source_id, c.key, c.id from connection c \
         join unnest($1::uuid[], $2::text[]) as w (source_id, key) on w.source_id = c.source_id and w.key = c.key",
        sources,
        keys
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (SourceId(row.source_id), row.key, ConnectionId(row.id))).collect())
}

/// The connections of a source that have these keys, as links, by key.
pub async fn refs_by_keys(
    conn: &mut PgConnection,
    source: SourceId,
    keys: &[String],
) -> Result<HashMap<String, model::ConnectionRef>> {
    let rows =
        sqlx::query!("select id, key, name from connection where source_id = $1 and key = any($2)", source.0, keys)
            .fetch_all(conn)
            .await?;
    let refs = rows.into_iter().map(|row| {
        let connection = model::ConnectionRef { id: ConnectionId(row.id), name: row.name };
        (row.key, connection)
    });
    Ok(refs.collect())
}

/// Connections whose health the clock alone may have changed.
pub async fn judge_due(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from connection where judge_due_at <= $1 and removed_at is null order by judge_due_at limit $2",
        now,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Connections whose proof is older than their source allows, but whose state is still shown as known.
pub async fn faded(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select c.id from connection c join source s on s.id = c.source_id \
         left join connection_proof p on p.connection_id = c.id \
         where c.removed_at is null and (c.health <> 'unknown' or c.authorization_shown <> 'unknown') \
         and coalesce(p.proof_at, '-infinity') < $1::timestamptz - make_interval(secs => s.proof_allowance_seconds) \
         order by c.id limit $2",
        now,
        limit
    )
    .fetch_all(conn)
    .await
}

/// A source's connections that its newest complete list, begun at `round`, did not hold.
pub async fn absent(conn: &mut PgConnection, source: SourceId, round: DateTime<Utc>) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select c.id from connection c left join connection_proof p on p.connection_id = c.id \
         where c.source_id = $1 and c.removed_at is null and c.first_seen_at < $2 \
         and coalesce(p.proof_at, '-infinity') < $2 order by c.id",
        source.0,
        round
    )
    .fetch_all(conn)
    .await
}

/// Asks for a closer look at these that were missing, unless one is due already.
pub async fn mark_absent(conn: &mut PgConnection, ids: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "with missing as (select id from connection where id = any($1) and removed_at is null order by id for update) \
         update connection set absent_since = coalesce(absent_since, $2), check_reason = 'absent', \
         check_due_at = least(check_due_at, $2) from missing where connection.id = missing.id",
        ids,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A connection seen for the first time.
pub struct NewConnection {
    /// What is known of it; its `version` is 0 and it has not been judged.
    pub state: State,
}

/// Adds connections; those that another process added meanwhile are left alone.
pub async fn create(conn: &mut PgConnection, new: &[NewConnection], now: DateTime<Utc>) -> Result<()> {
    let states: Vec<_> = new.iter().map(|new| &new.state).collect();
    sqlx::query!(
        "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
         authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, \
         first_seen_at, version, updated_at, check_due_at, check_reason) \
         select id, source_id, key, name, customer_id, platform_slug, 'unknown', at, 'poll', 'unknown', at, 'poll', 'unknown', \
         'unknown', 'unknown', $8, $7, '', $7, 0, $7, check_due_at, check_reason \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $9::timestamptz[], $10::timestamptz[], \
         $11::text[]) as n (id, source_id, key, name, customer_id, platform_slug, at, check_due_at, check_reason) \
         on conflict (source_id, key) do nothing",
        &states.iter().map(|s| s.id.0).collect::<Vec<_>>(),
        &states.iter().map(|s| s.source_id.0).collect::<Vec<_>>(),
        &states.iter().map(|s| s.key.clone()).collect::<Vec<_>>(),
        &states.iter().map(|s| s.name.clone()).collect::<Vec<_>>(),
        &states.iter().map(|s| s.customer_id.0).collect::<Vec<_>>(),
        &states.iter().map(|s| s.platform_slug.clone()).collect::<Vec<_>>(),
        now,
        model::Health::Unknown.rank(),
        &states.iter().map(|s| s.known.flow.at).collect::<Vec<_>>(),
        &states.iter().map(|s| s.check_due_at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &states.iter().map(|s| s.check_reason.clone()).collect::<Vec<_>>() as &[Option<String>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes states back; how those are described that are bare stays as it is, and so does what they are found by. The caller holds
/// their locks and has raised their versions.
pub async fn save(conn: &mut PgConnection, states: &[State], now: DateTime<Utc>) -> Result<()> {
    if states.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($state:ident => $value:expr) => {
            &states.iter().map(|$state| $value).collect::<Vec<_>>()[..]
        };
    }
    let saved = sqlx::query!(
        "update connection c set name = n.name, email = n.email, customer_id = n.customer_id, platform_slug = n.platform_slug, \
         raw_status = n.raw_status, upstream = coalesce(n.upstream, c.upstream), upstream_error = n.upstream_error, authorization_ = n.authorization_, \
         authorization_at = n.authorization_at, authorization_eye = n.authorization_eye, authorization_cause = n.authorization_cause, \
         flow = n.flow, flow_at = n.flow_at, flow_eye = n.flow_eye, flow_cause = n.flow_cause, flow_detail = n.flow_detail, \
         busy_since = n.busy_since, flips = n.flips::timestamptz[], cadence_upstream = n.cadence_upstream, \
         authorization_shown = n.authorization_shown, data_flow = n.data_flow, health = n.health, health_rank = n.health_rank, \
         cause = n.cause, cause_detail = n.cause_detail, since = n.since, judge_due_at = n.judge_due_at, \
         search = coalesce(n.search, c.search), \
         check_due_at = n.check_due_at, check_reason = n.check_reason, removed_at = n.removed_at, absent_since = n.absent_since, \
         version = n.version, updated_at = $34 \
         from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[], $8::text[], $9::text[], \
         $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::text[], $16::text[], $17::text[], \
         $18::timestamptz[], $19::text[], $20::int8[], $21::text[], $22::text[], $23::text[], $24::int2[], $25::text[], \
         $26::text[], $27::timestamptz[], $28::timestamptz[], $29::text[], $30::timestamptz[], $31::text[], $32::timestamptz[], \
         $33::timestamptz[], $35::int8[]) \
         as n (id, name, email, customer_id, platform_slug, raw_status, upstream, upstream_error, authorization_, authorization_at, \
         authorization_eye, authorization_cause, flow, flow_at, flow_eye, flow_cause, flow_detail, busy_since, flips, \
         cadence_upstream, authorization_shown, data_flow, health, health_rank, cause, cause_detail, since, judge_due_at, search, \
         check_due_at, check_reason, removed_at, absent_since, version) \
         where c.id = n.id",
        column!(s => s.id.0),
        column!(s => s.name.clone()),
        column!(s => s.email.clone()) as &[Option<String>],
        column!(s => s.customer_id.0),
        column!(s => s.platform_slug.clone()),
        column!(s => s.raw_status.clone()) as &[Option<String>],
        column!(s => s.described.as_ref().map(|it| it.upstream.clone())) as &[Option<serde_json::Value>],
        column!(s => s.upstream_error.clone()) as &[Option<String>],
        column!(s => s.known.authorization.value.to_string()),
        column!(s => s.known.authorization.at),
        column!(s => s.known.authorization.eye.to_string()),
        column!(s => s.known.authorization.cause.map(|c| c.to_string())) as &[Option<String>],
        column!(s => s.known.flow.value.to_string()),
        column!(s => s.known.flow.at),
        column!(s => s.known.flow.eye.to_string()),
        column!(s => s.known.flow.cause.map(|c| c.to_string())) as &[Option<String>],
        column!(s => s.known.detail.clone()) as &[Option<String>],
        column!(s => s.known.busy_since) as &[Option<DateTime<Utc>>],
        column!(s => array(s.flips.iter().map(DateTime::to_rfc3339))),
        column!(s => s.known.cadence_upstream) as &[Option<i64>],
        column!(s => s.authorization.to_string()),
        column!(s => s.data_flow.to_string()),
        column!(s => s.health.to_string()),
        column!(s => s.health.rank()),
        column!(s => s.cause.map(|c| c.to_string())) as &[Option<String>],
        column!(s => s.cause_detail.clone()) as &[Option<String>],
        column!(s => s.since),
        column!(s => s.judge_due_at) as &[Option<DateTime<Utc>>],
        column!(s => s.search_text()) as &[Option<String>],
        column!(s => s.check_due_at) as &[Option<DateTime<Utc>>],
        column!(s => s.check_reason.clone()) as &[Option<String>],
        column!(s => s.removed_at) as &[Option<DateTime<Utc>>],
        column!(s => s.absent_since) as &[Option<DateTime<Utc>>],
        now,
        column!(s => s.version),
    )
    .execute(conn)
    .await?
    .rows_affected();
    if saved != states.len() as u64 {
        return Err(sqlx::Error::Protocol(format!("{saved} of {} connections were saved", states.len())));
    }
    Ok(())
}

/// One connection whose turn it is to be looked at closer, under a lease.
pub struct DueCheck {
    /// Which.
    pub id: ConnectionId,
    /// Its source.
    pub source_id: SourceId,
    /// Upstream's identifier.
    pub key: String,
    /// Why it is looked at.
    pub reason: String,
    /// Proves that the lease is still ours.
    pub lease_token: Uuid,
    /// How often it failed in a row.
    pub attempt: i32,
}

/// Leases connections that are due a closer look, those a person asked for first.
pub async fn lease_checks(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    token: Uuid,
    limit: i64,
) -> Result<Vec<DueCheck>> {
    let rows = sqlx::query!(
        "update connection c set lease_until = $2, lease_token = $3 from ( \
           select c.id from connection c join source s on s.id = c.source_id \
           where c.check_due_at <= $1 and c.removed_at is null and s.enabled and (c.lease_until is null or c.lease_until < $1) \
           order by (c.check_reason = 'person') desc, c.check_due_at limit $4 for update of c skip locked) d \
         where c.id = d.id returning c.id, c.source_id, c.key, c.check_reason, c.attempt",
        now,
        lease_until,
        token,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DueCheck {
            id: ConnectionId(row.id),
            source_id: SourceId(row.source_id),
            key: row.key,
            reason: row.check_reason.unwrap_or_default(),
            lease_token: token,
            attempt: row.attempt,
        })
        .collect())
}

/// Leases these for a person who asked, whether they are due or not; those that are leased already are left out.
pub async fn lease_these(
    conn: &mut PgConnection,
    ids: &[Uuid],
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    token: Uuid,
) -> Result<Vec<DueCheck>> {
    let rows = sqlx::query!(
        "update connection c set lease_until = $3, lease_token = $4, check_reason = 'person', \
         check_due_at = least(c.check_due_at, $2), attempt = 0 from ( \
           select c.id from connection c join source s on s.id = c.source_id where c.id = any($1) and c.removed_at is null \
           and s.enabled and (c.lease_until is null or c.lease_until < $2) order by c.id for update of c skip locked) d \
         where c.id = d.id returning c.id, c.source_id, c.key",
        ids,
        now,
        lease_until,
        token
    )
    .fetch_all(conn)
    .await?;
    let due = |id, source, key| DueCheck {
        id: ConnectionId(id),
        source_id: SourceId(source),
        key,
        reason: "person".to_owned(),
        lease_token: token,
        attempt: 0,
    };
    Ok(rows.into_iter().map(|row| due(row.id, row.source_id, row.key)).collect())
}

/// Ends a lease. `next`: when to look again and why, unless somebody asked since; `attempt`: failures in a row. Answers the new
/// version; none if the lease was no longer ours.
pub async fn finish_check(
    conn: &mut PgConnection,
    check: &DueCheck,
    leased_at: DateTime<Utc>,
    next: Option<(DateTime<Utc>, &str)>,
    attempt: i32,
) -> Result<Option<i64>> {
    let (next_at, reason) = next.unzip();
    sqlx::query_scalar!(
        "update connection set lease_until = null, lease_token = null, attempt = $6, version = version + 1, \
         check_due_at = case when check_due_at > $3 then check_due_at else $4 end, \
         check_reason = case when check_due_at > $3 then check_reason else $5 end \
         where id = $1 and lease_token = $2 returning version",
        check.id.0,
        check.lease_token,
        leased_at,
        next_at,
        reason,
        attempt
    )
    .fetch_optional(conn)
    .await
}

/// Asks for a closer look now, because a person wants it. False if there is none to look at, or such a look waits or runs.
pub async fn ask_for_check(conn: &mut PgConnection, id: ConnectionId, now: DateTime<Utc>) -> Result<bool> {
    let asked = sqlx::query!(
        "update connection set check_due_at = $2, check_reason = 'person', attempt = 0, version = version + 1 \
         where id = $1 and removed_at is null and (check_reason is distinct from 'person' or check_due_at > $2)",
        id.0,
        now
    )
    .execute(conn)
    .await?;
    Ok(asked.rows_affected() == 1)
}

/// A list as Postgres writes it in a text, because a list of lists of different lengths has no type there.
fn array(values: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", values.collect::<Vec<_>>().join(","))
}

/// Writes what moves with every good sync and every webhook. The caller holds the locks of the connections; a proof may have been
/// renewed without one meanwhile, and the newest stays.
pub async fn save_proofs(conn: &mut PgConnection, states: &[&State], now: DateTime<Utc>) -> Result<()> {
    if states.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($state:ident => $value:expr) => {
            &states.iter().map(|$state| $value).collect::<Vec<_>>()[..]
        };
    }
    sqlx::query!(
        "insert into connection_proof as p (connection_id, proof_at, eye, recorded_at, last_good_sync_at, event_at, rhythm, syncs, \
         heard_at, data_at, well_since, pulse_since, pulse, real_time) \
         select id, proof_at, eye, recorded_at, good_at, event_at, rhythm::integer[], syncs, heard_at, data_at, well_since, pulse_since, \
         pulse::integer[], real_time \
         from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::text[], \
         $8::integer[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::boolean[]) \
         as n (id, proof_at, eye, recorded_at, good_at, event_at, rhythm, syncs, heard_at, data_at, well_since, pulse_since, pulse, \
         real_time) order by id \
         on conflict (connection_id) do update set proof_at = greatest(p.proof_at, excluded.proof_at), \
         eye = case when p.proof_at > excluded.proof_at then p.eye else coalesce(excluded.eye, p.eye) end, \
         recorded_at = excluded.recorded_at, last_good_sync_at = excluded.last_good_sync_at, event_at = excluded.event_at, \
         rhythm = excluded.rhythm, syncs = excluded.syncs, heard_at = excluded.heard_at, data_at = excluded.data_at, \
         well_since = excluded.well_since, pulse_since = excluded.pulse_since, pulse = excluded.pulse, real_time = excluded.real_time",
        column!(s => s.id.0),
        column!(s => s.proof.map(|(at, _)| at)) as &[Option<DateTime<Utc>>],
        column!(s => s.proof.map(|(_, eye)| eye.to_string())) as &[Option<String>],
        column!(s => s.recorded_at) as &[Option<DateTime<Utc>>],
        column!(s => s.known.last_good_sync_at) as &[Option<DateTime<Utc>>],
        column!(s => s.known.event_at) as &[Option<DateTime<Utc>>],
        column!(s => array(s.known.rhythm.intervals.iter().map(i32::to_string))),
        column!(s => s.known.rhythm.syncs),
        column!(s => s.known.pulse.heard_at) as &[Option<DateTime<Utc>>],
        column!(s => s.known.pulse.data_at) as &[Option<DateTime<Utc>>],
        column!(s => s.known.pulse.well_since) as &[Option<DateTime<Utc>>],
        column!(s => s.known.pulse.since) as &[Option<DateTime<Utc>>],
        column!(s => array(s.known.pulse.write().iter().map(i32::to_string))),
        column!(s => s.known.real_time(now).is_some()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Renews proofs of what stays as it is, without locks: the newest one stays.
pub async fn renew_proofs(conn: &mut PgConnection, proofs: &[(ConnectionId, DateTime<Utc>, Eye)]) -> Result<()> {
    if proofs.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into connection_proof as p (connection_id, proof_at, eye, recorded_at) \
         select id, at, eye, at from unnest($1::uuid[], $2::timestamptz[], $3::text[]) as n (id, at, eye) order by id \
         on conflict (connection_id) do update set proof_at = greatest(p.proof_at, excluded.proof_at), \
         eye = case when p.proof_at > excluded.proof_at then p.eye else excluded.eye end",
        &proofs.iter().map(|(id, ..)| id.0).collect::<Vec<_>>(),
        &proofs.iter().map(|(_, at, _)| *at).collect::<Vec<_>>(),
        &proofs.iter().map(|(.., eye)| eye.to_string()).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes what is ours on a connection. False if there is none.
pub async fn change(
    conn: &mut PgConnection,
    id: ConnectionId,
    patch: &model::ConnectionPatch,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update connection set owner = case when $2 then $3 else owner end, tags = coalesce($4, tags), \
         cadence_set = case when $5 then $6 else cadence_set end, note = case when $7 then $8 else note end, \
         version = version + 1, updated_at = $9 where id = $1",
        id.0,
        patch.owner.is_some(),
        patch.owner.clone().flatten(),
        patch.tags.as_deref(),
        patch.cadence_seconds.is_some(),
        patch.cadence_seconds.flatten(),
        patch.note.is_some(),
        patch.note.clone().flatten(),
        now
    )
    .execute(&mut *conn)
    .await?;
    if patch.tags.is_some()
        && let Some(state) = lock_described(conn, &[id.0]).await?.pop()
    {
        sqlx::query!("update connection set search = coalesce($2, search) where id = $1", id.0, state.search_text())
            .execute(conn)
            .await?;
    }
    Ok(done.rows_affected() == 1)
}
