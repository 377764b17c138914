//! What of a state has changed, and who needs to know: what must be written, what is announced, what is only a later time.

use crate::health::{Dimension, Known, Pulse, Rhythm, State};
use chrono::{DateTime, Utc};
use model::Eye;
use serde_json::Value;

/// Whether what is kept beside the proof must be written.
pub(super) fn proof_differs(before: &State, after: &State) -> bool {
    (before.proof, before.recorded_at) != (after.proof, after.recorded_at)
        || before.known.pulse != after.known.pulse
        || times_differ(before, after)
}

/// Whether something is news that moves with every good sync.
pub(super) fn times_differ(before: &State, after: &State) -> bool {
    let times = |state: &State| (state.known.event_at, state.known.last_good_sync_at);
    times(before) != times(after) || before.known.rhythm != after.known.rhythm
}

/// Whether anything of the wide row must be written: what moves with every good sync lives beside the proof.
pub(super) fn differs(before: &State, after: &State) -> bool {
    let still = |state: &State| State {
        proof: None,
        recorded_at: None,
        known: Known {
            // the moment of the last confirmation is the proof's business, not the row's
            authorization: Dimension { at: DateTime::UNIX_EPOCH, eye: Eye::Poll, ..state.known.authorization },
            flow: Dimension { at: DateTime::UNIX_EPOCH, eye: Eye::Poll, ..state.known.flow },
            event_at: None,
            last_good_sync_at: None,
            rhythm: Rhythm::default(),
            pulse: Pulse::default(),
            ..state.known.clone()
        },
        upstream: Value::Null,
        ..state.clone()
    };
    before.version == 0 || still(before) != still(after) || upstream_differs(&before.upstream, &after.upstream)
}

/// Whether a person or a machine could see a difference.
pub(super) fn shown_differs(before: &State, after: &State) -> bool {
    let quiet = |state: &State| State {
        judge_due_at: None,
        check_due_at: None,
        check_reason: None,
        flips: Vec::new(),
        ..state.clone()
    };
    differs(&quiet(before), &quiet(after))
        || before.known.last_good_sync_at != after.known.last_good_sync_at
        || minute(before.known.pulse.data_at) != minute(after.known.pulse.data_at)
        || before.check_due_at.is_some() != after.check_due_at.is_some()
}

/// Webhooks about data may come many a second; so often nobody needs to be told.
fn minute(at: Option<DateTime<Utc>>) -> Option<i64> {
    at.map(|at| at.timestamp().div_euclid(60))
}

/// Whether no total, filter or order but one by time could tell the two apart: a good sync after another good one.
pub(super) fn only_times_differ(before: &State, after: &State) -> bool {
    let timeless = |state: &State| State {
        known: before.known.clone(),
        flips: Vec::new(),
        raw_status: None,
        proof: None,
        recorded_at: None,
        judge_due_at: None,
        check_due_at: None,
        check_reason: None,
        upstream: Value::Null,
        version: 0,
        ..state.clone()
    };
    before.version > 0 && timeless(before) == timeless(after)
}

/// Fields that move with every sync are shown elsewhere; they alone are no reason to write.
pub(super) fn upstream_differs(before: &Value, after: &Value) -> bool {
    let moving = ["updated_at", "last_successful_sync_at", "status"];
    match (before.as_object(), after.as_object()) {
        (Some(before), Some(after)) => {
            before.len() != after.len()
                || after.iter().any(|(name, value)| !moving.contains(&name.as_str()) && before.get(name) != Some(value))
        }
        _ => before != after,
    }
}
