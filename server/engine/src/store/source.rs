//! Sources: settings, and the work of listing their connections.

use super::{hearing, record, word};
use crate::health::Policy;
use chrono::{DateTime, TimeDelta, Utc};
use model::{AttemptError, Dialect, Mappings, NewSource, Source, SourceId, SourcePatch, SourceRound, SourceTraffic};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// Every source or one of them, without secrets and traffic, which come from elsewhere. `public_url` begins the address of
/// the webhook door.
pub async fn list(conn: &mut PgConnection, only: Option<SourceId>, public_url: &str) -> Result<Vec<Source>> {
    let rows = sqlx::query!(
        "select s.id, s.name, s.environment, s.dialect, s.base_url, s.client_id, s.token_ownership, s.redirect, s.authorize_url, s.enabled, s.customer_key, \
         s.poll_interval_seconds, s.rate_per_minute, s.cadence_seconds, s.late_factor, s.late_grace_seconds, \
         s.proof_allowance_seconds, s.mappings, s.version, s.round_good_at, s.round_duration_ms, s.round_listed, \
         s.round_error_class, s.round_error_message, s.round_failing_since, s.api_version, s.api_version_since, \
         s.api_version_before, s.skew_ms, s.due_at, s.record_entities, s.record_minutes, s.record_connections, \
         (select coalesce(sum(k.n), 0)::bigint from ( \
           select n from connection_count where tag = '' and source_id = s.id \
           union all select n from connection_count_delta where tag = '' and source_id = s.id) k) as \"connections!\" \
         from source s where $1::uuid is null or s.id = $1 order by s.name",
        only.map(|id| id.0)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Source {
                id: SourceId(row.id),
                webhook_url: format!("{}/webhooks/{}", public_url.trim_end_matches('/'), row.name),
                name: row.name,
                environment: word(&row.environment)?,
                dialect: word(&row.dialect)?,
                base_url: row.base_url,
                client_id: row.client_id,
                token_ownership: word(&row.token_ownership)?,
                redirect: word(&row.redirect)?,
                authorize_url: row.authorize_url,
                enabled: row.enabled,
                webhook_secrets: Vec::new(),
                customer_key: row.customer_key,
                poll_interval_seconds: row.poll_interval_seconds,
                rate_per_minute: row.rate_per_minute,
                cadence_seconds: row.cadence_seconds,
                late_factor: row.late_factor,
                late_grace_seconds: row.late_grace_seconds,
                proof_allowance_seconds: row.proof_allowance_seconds,
                mappings: read_mappings(row.mappings)?,
                record_entities: row.record_entities,
                record_minutes: row.record_minutes.into(),
                record_connections: row.record_connections.into(),
                records: None,
                round: SourceRound {
                    good_at: row.round_good_at,
                    duration_ms: row.round_duration_ms,
                    listed: row.round_listed,
                    error: row
                        .round_error_class
                        .map(|class| AttemptError { class, message: row.round_error_message.unwrap_or_default() }),
                    failing_since: row.round_failing_since,
                    next_at: row.enabled.then_some(row.due_at),
                },
                traffic: SourceTraffic::default(),
                api_version: row.api_version,
                api_version_since: row.api_version_since,
                api_version_before: row.api_version_before,
                skew_ms: row.skew_ms,
                connections: u64::try_from(row.connections).unwrap_or(0),
                version: row.version,
            })
        })
        .collect()
}

fn read_mappings(json: serde_json::Value) -> Result<Mappings> {
    serde_json::from_value(json).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Adds a source. Fails with a unique violation when the name is taken.
pub async fn create(conn: &mut PgConnection, id: SourceId, new: &NewSource, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into source (id, name, environment, dialect, base_url, client_id, token_ownership, customer_key, \
         poll_interval_seconds, rate_per_minute, late_factor, late_grace_seconds, proof_allowance_seconds, mappings, created_at, \
         updated_at, due_at) values ($1, $2, $3, $4, $5, $6, 'external', 'customer_name', 60, 600, 2, 300, 900, '{}', $7, $7, $7)",
        id.0,
        new.name,
        new.environment.code(),
        new.dialect.code(),
        new.base_url.trim_end_matches('/'),
        new.client_id,
        now
    )
    .execute(&mut *conn)
    .await?;
    change(conn, id, &SourcePatch { version: None, ..new.settings.clone() }, now).await?;
    Ok(())
}

/// Changes a source and has it listed at once. Another address is another upstream, whose API has no past. False if there is
/// none, or not in the version that was read.
pub async fn change(conn: &mut PgConnection, id: SourceId, patch: &SourcePatch, now: DateTime<Utc>) -> Result<bool> {
    let mappings = patch.mappings.as_ref().map(|mappings| serde_json::json!(mappings));
    let done = sqlx::query!(
        "update source set base_url = coalesce($2, base_url), environment = coalesce($3, environment), \
         client_id = coalesce($4, client_id), token_ownership = coalesce($5, token_ownership), enabled = coalesce($6, enabled), \
         customer_key = coalesce($7, customer_key), poll_interval_seconds = coalesce($8, poll_interval_seconds), \
         rate_per_minute = coalesce($9, rate_per_minute), cadence_seconds = case when $10 then $11 else cadence_seconds end, \
         late_factor = coalesce($12, late_factor), late_grace_seconds = coalesce($13, late_grace_seconds), \
         proof_allowance_seconds = coalesce($14, proof_allowance_seconds), mappings = coalesce($15, mappings), \
         api_version = case when $2 <> base_url then null else api_version end, \
         api_version_since = case when $2 <> base_url then null else api_version_since end, \
         api_version_before = case when $2 <> base_url then null else api_version_before end, \
         redirect = coalesce($18, redirect), authorize_url = case when $19 then $20 else authorize_url end, \
         record_entities = coalesce($21, record_entities), record_minutes = coalesce($22::int8::int4, record_minutes), \
         record_connections = coalesce($23::int8::int4, record_connections), \
         version = version + 1, updated_at = $16, due_at = $16, attempt = 0 \
         where id = $1 and ($17::int8 is null or version = $17)",
        id.0,
        patch.base_url.as_deref().map(|url| url.trim_end_matches('/')),
        patch.environment.map(|environment| environment.code()),
        patch.client_id,
        patch.token_ownership.map(|ownership| ownership.code()),
        patch.enabled,
        patch.customer_key,
        patch.poll_interval_seconds,
        patch.rate_per_minute,
        patch.cadence_seconds.is_some(),
        patch.cadence_seconds.flatten(),
        patch.late_factor,
        patch.late_grace_seconds,
        patch.proof_allowance_seconds,
        mappings,
        now,
        patch.version,
        patch.redirect.map(|redirect| redirect.code()),
        patch.authorize_url.is_some(),
        patch.authorize_url.as_ref().and_then(|url| url.as_deref()).map(str::trim).filter(|url| !url.is_empty()),
        patch.record_entities.as_deref(),
        patch.record_minutes,
        patch.record_connections
    )
    .execute(&mut *conn)
    .await?;
    if patch.record_entities.is_some() {
        record::forget(conn, id).await?;
    }
    Ok(done.rows_affected() == 1)
}

/// What it takes to understand a source's events and to judge its connections.
pub struct Brief {
    /// How it speaks.
    pub dialect: Dialect,
    /// What it spells its own way.
    pub mappings: Mappings,
    /// Upstream's clock minus ours.
    pub skew: TimeDelta,
    /// How its connections are judged.
    pub policy: Policy,
    /// What is behind it.
    pub environment: model::Environment,
    /// Whether lost webhooks about single records are looked for.
    pub asks_for_records: bool,
}

/// The brief of every source.
pub async fn briefs(conn: &mut PgConnection) -> Result<HashMap<SourceId, Brief>> {
    let rows = sqlx::query!(
        "select id, environment, dialect, mappings, skew_ms, cadence_seconds, late_factor, late_grace_seconds, proof_allowance_seconds, \
         record_entities <> '{}' as \"asks_for_records!\" from source"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let policy = Policy {
                cadence_default: row.cadence_seconds,
                late_factor: row.late_factor,
                late_grace: seconds(row.late_grace_seconds),
                proof_allowance: seconds(row.proof_allowance_seconds),
                hearing: None,
            };
            let brief = Brief {
                dialect: word(&row.dialect)?,
                mappings: read_mappings(row.mappings)?,
                skew: TimeDelta::try_milliseconds(row.skew_ms.unwrap_or(0)).unwrap_or_default(),
                policy,
                environment: word(&row.environment)?,
                asks_for_records: row.asks_for_records,
            };
            Ok((SourceId(row.id), brief))
        })
        .collect()
}

/// How each source judges its connections, and whether its webhooks come.
pub async fn policies_with_hearing(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<HashMap<SourceId, Policy>> {
    let heard = hearing::of_sources(conn, None, now).await?;
    let with = |(id, policy): (SourceId, Policy)| (id, Policy { hearing: heard.get(&id).copied(), ..policy });
    Ok(policies(conn).await?.into_iter().map(with).collect())
}

/// How one source judges its connections, and whether its webhooks come.
pub async fn policy_with_hearing(conn: &mut PgConnection, source: &Source, now: DateTime<Utc>) -> Result<Policy> {
    let hearing = hearing::of_sources(conn, Some(source.id), now).await?.remove(&source.id);
    Ok(Policy { hearing, ..Policy::from(source) })
}

/// How each source judges its connections, without what its webhooks tell.
pub async fn policies(conn: &mut PgConnection) -> Result<HashMap<SourceId, Policy>> {
    Ok(briefs(conn).await?.into_iter().map(|(id, brief)| (id, brief.policy)).collect())
}

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::try_seconds(n).unwrap_or(TimeDelta::MAX)
}

impl From<&Source> for Policy {
    fn from(source: &Source) -> Self {
        Self {
            cadence_default: source.cadence_seconds,
            late_factor: source.late_factor,
            late_grace: seconds(source.late_grace_seconds),
            proof_allowance: seconds(source.proof_allowance_seconds),
            hearing: None,
        }
    }
}

/// A source whose turn it is to be listed, under a lease.
pub struct DueRound {
    /// Which.
    pub source_id: SourceId,
    /// Proves that the lease is still ours.
    pub token: Uuid,
    /// How many rounds failed in a row.
    pub attempt: i32,
}

/// Leases one source that is due.
pub async fn lease(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    token: Uuid,
) -> Result<Option<DueRound>> {
    let row = sqlx::query!(
        "update source s set lease_until = $2, lease_token = $3 from ( \
           select id from source where enabled and due_at <= $1 and (lease_until is null or lease_until < $1) \
           order by due_at limit 1 for update skip locked) d \
         where s.id = d.id returning s.id, s.attempt",
        now,
        until,
        token
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| DueRound { source_id: SourceId(row.id), token, attempt: row.attempt }))
}

/// Renews a lease. False if it was no longer ours: then the round must stop.
pub async fn renew(conn: &mut PgConnection, round: &DueRound, until: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update source set lease_until = $3 where id = $1 and lease_token = $2",
        round.source_id.0,
        round.token,
        until
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A round that ended well.
pub struct GoodRound {
    /// When it began: what it saw is as old as this.
    pub began_at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i64,
    /// How many connections it listed.
    pub listed: i64,
    /// The API's version as its answers named it, if they did.
    pub api_version: Option<String>,
    /// Upstream's clock minus ours.
    pub skew_ms: Option<i64>,
}

/// Ends a round well. False if the lease was no longer ours.
pub async fn finish_well(
    conn: &mut PgConnection,
    round: &DueRound,
    good: &GoodRound,
    next_at: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update source set lease_until = null, lease_token = null, attempt = 0, due_at = $3, round_good_at = $4, \
         round_duration_ms = $5, round_listed = $6, api_version = coalesce($7, api_version), skew_ms = coalesce($8, skew_ms), \
         api_version_since = case when $7::text is null then api_version_since \
           when api_version = $7 then coalesce(api_version_since, $4) else $4 end, \
         api_version_before = case when api_version <> $7 then api_version else api_version_before end, \
         round_error_class = null, round_error_message = null, round_failing_since = null where id = $1 and lease_token = $2",
        round.source_id.0,
        round.token,
        next_at,
        good.began_at,
        good.duration_ms,
        good.listed,
        good.api_version,
        good.skew_ms
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a round that our own database broke off: nothing is said of the source.
pub async fn give_back(conn: &mut PgConnection, round: &DueRound, next_at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update source set lease_until = null, lease_token = null, due_at = $3 where id = $1 and lease_token = $2",
        round.source_id.0,
        round.token,
        next_at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Ends a round that failed. False if the lease was no longer ours.
pub async fn finish_badly(
    conn: &mut PgConnection,
    round: &DueRound,
    error: &AttemptError,
    now: DateTime<Utc>,
    next_at: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update source set lease_until = null, lease_token = null, attempt = attempt + 1, due_at = $3, round_error_class = $4, \
         round_error_message = $5, round_failing_since = coalesce(round_failing_since, $6) where id = $1 and lease_token = $2",
        round.source_id.0,
        round.token,
        next_at,
        error.class,
        error.message,
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
