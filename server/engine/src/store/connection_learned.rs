//! What the past of a connection has taught, as its row tells it: how often it syncs, how its webhooks come, and what feeds it.

use crate::health::{Feed, Known, Pace, Policy, Pulse, Rhythm};
use chrono::{DateTime, TimeDelta, Utc};
use model::WebhookPulse;
use sqlx::{Result, Row, postgres::PgRow};

/// What syncs and webhooks have taught, and what feeds the connection by that.
pub(super) fn learned(row: &PgRow) -> Result<(Known, Feed)> {
    let (intervals, syncs): (Option<Vec<i32>>, Option<i32>) = (row.try_get("rhythm")?, row.try_get("syncs")?);
    let pulse: Option<Vec<i32>> = row.try_get("pulse")?;
    let known = Known {
        rhythm: Rhythm { intervals: intervals.unwrap_or_default(), syncs: syncs.unwrap_or(0) },
        pulse: Pulse::stored(row.try_get("heard_at")?, row.try_get("data_at")?, None, None, &pulse.unwrap_or_default()),
        cadence_upstream: row.try_get("cadence_upstream")?,
        last_good_sync_at: row.try_get("last_good_sync_at")?,
        ..Known::nothing(DateTime::UNIX_EPOCH)
    };
    let feed = policy(row)?.feed(&known, row.try_get("cadence_set")?, looked_at(row, &known)?);
    Ok((known, feed))
}

/// When somebody last looked: what is shown is as of then.
pub(super) fn looked_at(row: &PgRow, known: &Known) -> Result<DateTime<Utc>> {
    let proof_at: Option<DateTime<Utc>> = row.try_get("proof_at")?;
    Ok(proof_at.max(known.pulse.heard_at).unwrap_or_default())
}

/// A pace as it is shown.
pub(super) fn webhooks(pace: Pace, last_at: Option<DateTime<Utc>>) -> WebhookPulse {
    WebhookPulse { pause_seconds: pace.seconds, webhooks: pace.webhooks.into(), last_at }
}

/// How its source judges, without what its webhooks tell.
pub(super) fn policy(row: &PgRow) -> Result<Policy> {
    let seconds = |n: i64| TimeDelta::try_seconds(n).unwrap_or(TimeDelta::MAX);
    Ok(Policy {
        cadence_default: row.try_get("cadence_default")?,
        late_factor: row.try_get("late_factor")?,
        late_grace: seconds(row.try_get("late_grace_seconds")?),
        proof_allowance: seconds(row.try_get("proof_allowance_seconds")?),
        hearing: None,
    })
}
