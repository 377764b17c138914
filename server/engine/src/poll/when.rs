//! When a connection is looked at closer, beside what evidence asks for. Pure.

use crate::health::{Flow, Policy, State};
use crate::makini::{self, Closer, SyncStatus, Tells};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Source, TokenOwnership};

/// Where a look tells little, it is repeated after this.
const SELDOM: TimeDelta = TimeDelta::hours(6);
/// A look may cost a token and two questions.
const REQUESTS: i64 = 3;

/// Whether a closer look tells what the list leaves open: it takes connections' own tokens.
pub(super) fn looks_tell(source: &Source) -> bool {
    !makini::list_tells_syncs(source.dialect) && source.token_ownership == TokenOwnership::Linewatch
}

/// The first look at a connection that is new, one of so many: it learns upstream's cadence where nothing better is known, or
/// proves what the list cannot. Spread, so that not all are due at once.
pub(super) fn first_look(source: &Source, many: usize, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let within = if looks_tell(source) { pace(source, many) } else { TimeDelta::hours(1) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds of hours")]
    let spread = TimeDelta::milliseconds((within.num_milliseconds() as f64 * rand::random::<f64>()) as i64);
    (looks_tell(source) || source.cadence_seconds.is_none()).then(|| now + spread)
}

/// How long one look at each connection takes when looks may use two thirds of our rate; the rest is for the rounds.
fn pace(source: &Source, more: usize) -> TimeDelta {
    let connections = i64::try_from(source.connections).unwrap_or(i64::MAX).saturating_add(more as i64);
    let a_minute = (source.rate_per_minute * 2 / (3 * REQUESTS)).max(1);
    TimeDelta::milliseconds((connections.saturating_mul(60_000) / a_minute).min(SELDOM.num_milliseconds()))
}

/// The next look after one that found this, and why. `state`: what is known since.
pub(super) fn next_look(
    source: &Source,
    closer: &Closer,
    state: &State,
    now: DateTime<Utc>,
) -> Option<(DateTime<Utc>, &'static str)> {
    let unwell = state.health.needs_attention();
    let patience = TimeDelta::seconds(source.poll_interval_seconds.saturating_mul(10)).max(TimeDelta::minutes(1));
    if makini::list_tells_syncs(source.dialect) {
        return match unwell {
            true => Some((now + patience, "unwell")),
            false => source.cadence_seconds.is_none().then(|| (now + SELDOM, "proof")),
        };
    }
    if closer.tells == Tells::SetUp && closer.sync.is_none() {
        return Some((now + SELDOM, "proof"));
    }
    // often enough that a proof does not fade, and no more often than the list
    let often = TimeDelta::seconds(source.poll_interval_seconds).max(pace(source, 0));
    let at_least = TimeDelta::seconds(source.proof_allowance_seconds / 3 * 2).max(often);
    let under_way = closer.sync.as_ref().is_some_and(|sync| sync.status == SyncStatus::InProgress);
    let wait = match (under_way, unwell) {
        (true, _) => often,
        (false, true) => patience,
        (false, false) => until_the_next_sync(source, state, now).unwrap_or(at_least),
    };
    Some((now + wait.clamp(often, at_least), if unwell { "unwell" } else { "proof" }))
}

/// Until the next sync should have ended.
fn until_the_next_sync(source: &Source, state: &State, now: DateTime<Utc>) -> Option<TimeDelta> {
    let known = &state.known;
    let cadence = Policy::from(source).feed(known, state.cadence_set, now).cadence()?;
    let expected = state.known.last_good_sync_at?.checked_add_signed(TimeDelta::try_seconds(cadence)?)?;
    (state.known.flow.value == Flow::Good).then(|| expected - now)
}

#[cfg(test)]
pub(super) mod tests;
