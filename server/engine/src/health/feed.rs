//! How a connection gets its data, and whether its webhooks have stopped. Pure.
//!
//! Makini feeds connections by syncs, and in real time by webhooks where it can; which, it does not tell. So it is learned: fed in real
//! time is one whose webhooks are mostly about data and come several times as often as its syncs, if any sync is known. A cadence that
//! Makini plans, or that a person has set, says that it is fed by syncs.
//!
//! That webhooks have stopped is held against a connection only with proof that they should have come: those of its source come all the
//! while, we were there to take them, the connection has been in good order for long enough, and a look afterwards found it so. One
//! that is fed by syncs must have synced afterwards, too. Where that proof is missing, one fed in real time is unknown.

use super::{Hearing, Known, Pace, Policy};
use chrono::{DateTime, TimeDelta, Utc};
use model::CadenceFrom;

/// Syncs so many times as rare as webhooks are not what feeds a connection.
const RARE: i64 = 4;

/// What brings a connection its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Syncs, as often as this, where that is known.
    Synced(Option<(i64, CadenceFrom)>),
    /// Webhooks.
    RealTime(Pace),
}

/// How the webhooks of a connection stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Webhooks {
    /// As usual, or nothing is usual.
    AsUsual,
    /// None came for far too long; nothing proves that it is the connection.
    Missing,
    /// Its own have stopped.
    Silent(Pace),
}

impl Feed {
    /// How often a sync is expected, in seconds.
    pub fn cadence(&self) -> Option<i64> {
        match self {
            Self::Synced(cadence) => cadence.map(|(seconds, _)| seconds),
            Self::RealTime(_) => None,
        }
    }
}

impl Known {
    /// What was learned of its webhooks, if they are what feeds it as far as can be learned.
    pub fn real_time(&self, now: DateTime<Utc>) -> Option<Pace> {
        let pace = self.pulse.pace(now).filter(|pace| pace.of_data)?;
        self.rhythm.learned().is_none_or(|syncs| syncs.seconds >= pace.seconds * RARE).then_some(pace)
    }

    /// When its newest data came, if it is fed in real time.
    pub fn fed_at(&self) -> Option<DateTime<Utc>> {
        self.pulse.data_at.max(self.last_good_sync_at)
    }
}

impl Policy {
    /// How a connection is fed.
    pub fn feed(&self, known: &Known, cadence_set: Option<i64>, now: DateTime<Utc>) -> Feed {
        let told = known.cadence_upstream.is_some() || cadence_set.is_some();
        match known.real_time(now).filter(|_| !told) {
            Some(pace) => Feed::RealTime(pace),
            None => Feed::Synced(self.cadence(known.cadence_upstream, cadence_set, known.rhythm.learned())),
        }
    }

    /// From when on a connection fed like this has been without its webhooks for too long, whoever is to blame.
    pub fn silent_at(&self, feed: &Feed, known: &Known, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (newest, pace) = match feed {
            Feed::RealTime(pace) => (known.fed_at(), *pace),
            Feed::Synced(_) => (known.pulse.heard_at, known.pulse.pace(now)?),
        };
        newest?.checked_add_signed(pace.patience())
    }
}

/// How its webhooks stand. `proof_at`: when somebody last looked.
pub(super) fn webhooks(
    policy: &Policy,
    feed: &Feed,
    known: &Known,
    proof_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Webhooks {
    let Some(due) = policy.silent_at(feed, known, now) else { return Webhooks::AsUsual };
    let pace = match feed {
        Feed::RealTime(pace) => *pace,
        Feed::Synced(_) => match known.pulse.pace(now) {
            Some(pace) => pace,
            None => return Webhooks::AsUsual,
        },
    };
    // a deadline after which nobody has looked yet does not count yet
    let seen = now.min(proof_at);
    if seen < due {
        return Webhooks::AsUsual;
    }
    let expected =
        |hearing: &Hearing| known.pulse.well_since.max(Some(hearing.since)).map(|since| since + pace.patience());
    let proved = policy.hearing.is_some_and(|hearing| {
        let due = expected(&hearing).map_or(due, |expected| due.max(expected));
        let synced = matches!(feed, Feed::RealTime(_)) || known.last_good_sync_at.is_some_and(|good| good >= due);
        seen >= due && hearing.at >= due && synced
    });
    if proved { Webhooks::Silent(pace) } else { Webhooks::Missing }
}

/// What is known of webhooks that have stopped, and how. It stays the same as long as none comes.
pub(super) fn words(feed: &Feed, known: &Known, pace: &Pace) -> String {
    let (newest, how) = match feed {
        Feed::RealTime(_) => (known.fed_at(), "it is fed by them, polls find it connected"),
        Feed::Synced(_) => (known.pulse.heard_at, "polls find that it still syncs"),
    };
    let newest = newest.map(|at| at.format(" since %-d %b, %H:%M UTC").to_string()).unwrap_or_default();
    format!(
        "about one every {}, learned from {}, and none{newest}; {how}, and other webhooks of its source arrive",
        span(pace.seconds),
        pace.webhooks
    )
}

/// A pause as people say it.
fn span(seconds: i64) -> String {
    let rounded = |unit: i64| (seconds + unit / 2) / unit;
    match TimeDelta::seconds(seconds) {
        short if short < TimeDelta::seconds(100) => format!("{seconds} s"),
        short if short < TimeDelta::minutes(100) => format!("{} min", rounded(60)),
        long if long < TimeDelta::hours(48) => format!("{} h", rounded(3_600)),
        _ => format!("{} days", rounded(86_400)),
    }
}

#[cfg(test)]
mod tests;
