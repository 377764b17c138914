//! What of a state has changed, and who needs to know: what must be written, what is announced, what is only a later time.

use crate::health::{Described, Dimension, Known, State};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::sync::Arc;

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
    shape_differs(before, after) || taken_apart(before).2 != taken_apart(after).2
}

/// Whether a person or a machine could see a difference.
pub(super) fn shown_differs(before: &State, after: &State) -> bool {
    shape_differs(before, after)
        || before.known.last_good_sync_at != after.known.last_good_sync_at
        || minute(before.known.pulse.data_at) != minute(after.known.pulse.data_at)
        || before.check_due_at.is_some() != after.check_due_at.is_some()
}

/// The same as [`differs`], whatever is due when.
fn shape_differs(before: &State, after: &State) -> bool {
    let shape = |state| {
        let (headline, rest, _) = taken_apart(state);
        (headline, rest)
    };
    before.version == 0 || shape(before) != shape(after) || description_differs(before, after)
}

/// Whether what is kept beside the row describes it otherwise; what nobody asked for stays as it is.
fn description_differs(before: &State, after: &State) -> bool {
    description_differs_by(before, after, |before, after| {
        names(before) != names(after) || upstream_differs(&before.upstream, &after.upstream)
    })
}

fn description_differs_by(before: &State, after: &State, by: fn(&Described, &Described) -> bool) -> bool {
    matches!((&before.described, &after.described), (Some(before), Some(after)) if !Arc::ptr_eq(before, after) && by(before, after))
}

fn names(described: &Described) -> (&str, &str) {
    (&described.customer_name, &described.platform_name)
}

/// Webhooks about data may come many a second; so often nobody needs to be told.
fn minute(at: Option<DateTime<Utc>>) -> Option<i64> {
    at.map(|at| at.timestamp().div_euclid(60))
}

/// Whether no total, filter or order but one by time could tell the two apart: a good sync after another good one.
pub(super) fn only_times_differ(before: &State, after: &State) -> bool {
    before.version > 0
        && taken_apart(before).0 == taken_apart(after).0
        && !description_differs_by(before, after, |before, after| names(before) != names(after))
}

/// What two states are compared by: what totals, filters and orders see; the rest that is shown; what is due and why. Without what
/// is kept beside the proof, and without what upstream said as a whole. Borrowed, as every webhook asks several times; taken
/// apart as a whole, so that no field is forgotten.
fn taken_apart(state: &State) -> (impl PartialEq, impl PartialEq, impl PartialEq) {
    let State {
        id,
        source_id,
        key,
        name,
        email,
        customer_id,
        platform_slug,
        tags,
        raw_status,
        described: _,
        upstream_error,
        known:
            Known {
                // the moment of the last confirmation is the proof's business, not the row's
                authorization: Dimension { value: known_authorization, cause: authorization_cause, at: _, eye: _ },
                flow: Dimension { value: flow, cause: flow_cause, at: _, eye: _ },
                detail,
                event_at: _,
                last_good_sync_at: _,
                cadence_upstream,
                rhythm: _,
                pulse: _,
                busy_since,
            },
        cadence_set,
        proof: _,
        recorded_at: _,
        authorization,
        data_flow,
        health,
        cause,
        cause_detail,
        since,
        flips,
        judge_due_at,
        check_due_at,
        check_reason,
        removed_at,
        absent_since,
        version,
    } = state;
    let found_by = (id, source_id, key, name, email, customer_id, platform_slug, tags);
    let headline = (authorization, data_flow, health, cause, cause_detail, since, removed_at, absent_since);
    let known = (known_authorization, authorization_cause, flow, flow_cause, detail, cadence_upstream, busy_since);
    (
        (found_by, headline, upstream_error, cadence_set),
        (known, raw_status, version),
        (flips, judge_due_at, check_due_at, check_reason),
    )
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
