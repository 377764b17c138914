//! What was so at each moment of the past, put together from what is kept of it. Pure.

use super::condition::{fails, late_since, silent_since};
use super::preview::Seen;
use crate::store::past::Pause;
use crate::store::past_failures::{Failed, Taken};
use chrono::{DateTime, TimeDelta, Utc};
use model::{When, WhenKind};

/// From when until when; none: still.
pub(super) type Span = (DateTime<Utc>, Option<DateTime<Utc>>);

/// When a connection's pauses were too long for a rule about late syncs or silence. `pauses` are in the order of time.
pub(super) fn too_long(when: &When, pauses: &[Pause]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for pause in pauses {
        let over = match when.kind {
            WhenKind::SyncLate => late_since(when, Some(pause.since), pause.cadence),
            _ => silent_since(when, pause.since),
        };
        let Some(over) = over.filter(|over| pause.to.is_none_or(|to| *over < to)) else { continue };
        match spans.last_mut() {
            // what came was itself too old: it went on
            Some(last) if last.1.is_some_and(|end| over <= end) => last.1 = pause.to,
            _ => spans.push((over, pause.to)),
        }
    }
    spans
}

/// Spans of a connection as a rule sees them: they count while it may be looked at, and start to while its source is seen. `may` tells
/// from when on it may or may not, in the order of time; before that it is as at first. `spans` are in the order of time and apart.
pub(super) fn gated(spans: &[Span], may: &[(DateTime<Utc>, bool)], blind: &[Span], until: DateTime<Utc>) -> Vec<Seen> {
    let edges = |spans: &[Span]| spans.iter().flat_map(|(from, to)| [Some(*from), *to]).flatten().collect::<Vec<_>>();
    let mut moments = edges(spans);
    moments.extend(edges(blind));
    moments.extend(may.iter().map(|(at, _)| *at));
    moments.retain(|at| *at <= until);
    moments.sort_unstable();
    moments.dedup();
    let mut all: Vec<Seen> = Vec::new();
    for at in moments {
        let last = spans.partition_point(|(from, _)| *from <= at).checked_sub(1).and_then(|n| spans.get(n));
        let within = last.is_some_and(|(_, to)| to.is_none_or(|end| at < end));
        let looked = may.partition_point(|(turn, _)| *turn <= at).saturating_sub(1);
        let goes_on = within && may.get(looked).is_none_or(|(_, may)| *may);
        let blind = blind.iter().any(|(from, to)| *from <= at && to.is_none_or(|end| at < end));
        let seen = Seen { at, holds: goes_on && !blind, goes_on };
        if all.last().is_none_or(|last| (last.holds, last.goes_on) != (seen.holds, seen.goes_on)) {
            all.push(seen);
        }
    }
    all
}

/// When so much had failed, in the order of time.
pub(super) fn failing(when: &When, failed: &[Failed], taken: &[Taken], until: DateTime<Utc>) -> Vec<Seen> {
    let seconds = |n: Option<i64>| n.and_then(TimeDelta::try_seconds);
    let window = seconds(when.window_seconds).unwrap_or_default();
    let mut turns: Vec<(DateTime<Utc>, i64, i64)> = Vec::new();
    for one in failed {
        let (from, to) = match seconds(when.older_than_seconds) {
            Some(older) if !one.passing => (one.at + older, one.mended_at),
            Some(_) => continue,
            None => (one.at, Some(one.mended_at.map_or(one.at + window, |mended| mended.min(one.at + window)))),
        };
        let n = i64::try_from(one.n).unwrap_or(i64::MAX);
        if to.is_none_or(|to| from < to) {
            turns.push((from, n, 0));
            turns.extend(to.map(|to| (to, -n, 0)));
        }
    }
    if when.percent.is_some() {
        // the live count takes whole hours, from the one in which the window begins
        for hour in taken {
            let n = i64::try_from(hour.n).unwrap_or(i64::MAX);
            turns.push((hour.first_at, 0, n));
            turns.push((hour.hour + TimeDelta::hours(1) + window, 0, -n));
        }
    }
    turns.retain(|turn| turn.0 <= until);
    turns.sort_unstable_by_key(|turn| turn.0);
    let (mut n, mut of) = (0i64, 0i64);
    let mut all: Vec<Seen> = Vec::new();
    for (at, more, came) in turns {
        (n, of) = (n + more, of + came);
        let holds = fails(when, n.max(0).unsigned_abs(), of.max(0).unsigned_abs());
        match all.last_mut() {
            // of one moment only what came of it counts
            Some(last) if last.at == at => *last = Seen::new(at, holds),
            _ => all.push(Seen::new(at, holds)),
        }
    }
    all
}

#[cfg(test)]
mod tests;
