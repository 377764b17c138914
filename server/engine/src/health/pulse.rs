//! How webhooks about a connection come, learned from when they did. Pure.
//!
//! What is kept of the past is a count of pauses by their length, in octaves, in two halves of fifteen days: it costs the same for one
//! webhook a day as for a thousand an hour. What is usual is said by the time that pauses fill and not by their number: a
//! hundred webhooks in a minute and then none for six hours come every six hours; who sends by day only has long nights; and what lay
//! around an outage fills too little of a month to teach anything.

use chrono::{DateTime, TimeDelta, Utc};

/// The shortest octave ends at twice this, in seconds; shorter pauses are within one burst and count as that.
const SHORTEST: i64 = 5;
/// The last octave begins after 30 days, and holds whatever is longer.
const OCTAVES: usize = 20;
/// So long is a half.
const HALF: TimeDelta = TimeDelta::days(15);
/// So few pauses teach nothing …
const ENOUGH: u32 = 20;
/// … nor do any within so short a time.
const LONG_ENOUGH: i64 = 6 * 3_600;
/// After so long a silence nothing is usual any more.
const FORGOTTEN: TimeDelta = TimeDelta::days(30);
/// Who has seen no week has seen no weekend. Data may rest so long on one.
const WEEK: i64 = 8 * 86_400;
const WEEKEND: i64 = 3 * 86_400;
/// The door may have been shut for so long without anybody knowing: what it takes is counted by the hour.
pub(super) const HIDDEN: TimeDelta = TimeDelta::hours(1);

/// The pauses of one octave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Octave {
    pauses: u32,
    seconds: u32,
}

/// The figures of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Half {
    webhooks: u32,
    of_data: u32,
    octaves: [Octave; OCTAVES],
}

/// When webhooks about a connection came, and what that teaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// When the newest reached us; never moves backwards.
    pub heard_at: Option<DateTime<Utc>>,
    /// The time of the newest about its data; never moves backwards.
    pub data_at: Option<DateTime<Utc>>,
    /// Since when the connection has been in good order; none when it is not, or was before anything was kept.
    pub well_since: Option<DateTime<Utc>>,
    /// When the newer half began.
    pub since: Option<DateTime<Utc>>,
    newer: Half,
    older: Half,
}

/// What was learned of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The usual pause, in seconds.
    pub seconds: i64,
    /// The longest that is still usual: a night, a weekend.
    pub longest: i64,
    /// From so many webhooks.
    pub webhooks: u32,
    /// Most of them were about data.
    pub of_data: bool,
    /// Over so many seconds.
    pub seen: i64,
}

impl Pace {
    /// How long none may come before something is wrong. Longer than any pause that is usual, in whatever order they come.
    pub fn patience(&self) -> TimeDelta {
        let usual = (self.seconds * 4).max(self.longest * 2);
        let at_least = if self.of_data && self.seen < WEEK { WEEKEND } else { 0 };
        TimeDelta::seconds(usual.max(at_least)) + HIDDEN
    }
}

impl Pulse {
    /// A webhook reached us at `at`; `well`: the connection was in good order until it came. One that is not newer than the newest is
    /// worked on late, or again, and teaches nothing.
    pub fn note(&mut self, at: DateTime<Utc>, of_data: bool, well: bool) {
        let last = self.heard_at.replace(self.heard_at.map_or(at, |last| last.max(at)));
        let since = *self.since.get_or_insert(at);
        let Some(last) = last.filter(|last| *last < at) else { return };
        if at - since >= HALF {
            // a half that ended so long ago that another would have passed since is over too
            self.older = if at - since < HALF * 2 { self.newer } else { Half::default() };
            (self.newer, self.since) = (Half::default(), Some(at));
        }
        if !well || self.well_since.is_some_and(|since| since > last) {
            return;
        }
        self.newer.webhooks = self.newer.webhooks.saturating_add(1);
        self.newer.of_data = self.newer.of_data.saturating_add(u32::from(of_data));
        let seconds = u32::try_from((at - last).num_seconds()).unwrap_or(u32::MAX);
        let octave = &mut self.newer.octaves[octave_of(seconds.into())];
        octave.pauses = octave.pauses.saturating_add(1);
        octave.seconds = octave.seconds.saturating_add(seconds);
    }

    /// Data came, as of this time.
    pub fn brought(&mut self, at: DateTime<Utc>) {
        self.data_at = self.data_at.max(Some(at));
    }

    /// Whether the connection was in good order before, and is now. Nothing is expected of it before it is.
    pub fn settle(&mut self, was: bool, is: bool, now: DateTime<Utc>) {
        match (was, is) {
            (false, true) => self.well_since = Some(now),
            (true, false) => self.well_since = None,
            _ => {}
        }
    }

    /// What is usual, if anything is.
    pub fn pace(&self, now: DateTime<Utc>) -> Option<Pace> {
        if now - self.heard_at? > FORGOTTEN {
            return None;
        }
        let sum = |of: fn(&Octave) -> u32| {
            self.newer.octaves.iter().chain(&self.older.octaves).map(|octave| i64::from(of(octave))).sum::<i64>()
        };
        let seen = sum(|octave| octave.seconds);
        if seen < LONG_ENOUGH || sum(|octave| octave.pauses) < i64::from(ENOUGH) {
            return None;
        }
        let webhooks = self.newer.webhooks.saturating_add(self.older.webhooks);
        let of_data = self.newer.of_data.saturating_add(self.older.of_data);
        Some(Pace {
            seconds: self.filling((seen + 3) / 4),
            longest: self.filling((seen * 9 + 9) / 10),
            webhooks,
            of_data: of_data > webhooks / 2,
            seen,
        })
    }

    /// The middle of the octave up to which pauses fill so many seconds. Twice that is longer than any pause in it.
    fn filling(&self, seconds: i64) -> i64 {
        let mut filled = 0;
        for (newer, older) in self.newer.octaves.iter().zip(&self.older.octaves) {
            let pauses = i64::from(newer.pauses) + i64::from(older.pauses);
            let its = i64::from(newer.seconds) + i64::from(older.seconds);
            filled += its;
            if filled >= seconds && pauses > 0 {
                return (its / pauses).max(1);
            }
        }
        0
    }

    /// The learned figures as they are stored.
    pub fn write(&self) -> Vec<i32> {
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let mut all = Vec::new();
        if self.newer == Half::default() && self.older == Half::default() {
            return all;
        }
        for half in [&self.newer, &self.older] {
            let used: Vec<_> = (0..).zip(&half.octaves).filter(|(_, octave)| octave.pauses > 0).collect();
            all.extend([number(half.webhooks), number(half.of_data), i32::try_from(used.len()).unwrap_or(0)]);
            all.extend(used.into_iter().flat_map(|(n, one): (i32, _)| [n, number(one.pauses), number(one.seconds)]));
        }
        all
    }

    /// As it was stored. Figures that cannot be read teach nothing.
    pub fn stored(
        heard_at: Option<DateTime<Utc>>,
        data_at: Option<DateTime<Utc>>,
        well_since: Option<DateTime<Utc>>,
        since: Option<DateTime<Utc>>,
        figures: &[i32],
    ) -> Self {
        let mut numbers = figures.iter().map(|n| u32::try_from(*n).unwrap_or(0));
        let mut half = || {
            let (webhooks, of_data) = (numbers.next()?, numbers.next()?);
            let mut half = Half { webhooks, of_data, ..Half::default() };
            for _ in 0..numbers.next()? {
                let (n, pauses, seconds) = (numbers.next()?, numbers.next()?, numbers.next()?);
                if let Some(octave) = half.octaves.get_mut(usize::try_from(n).unwrap_or(OCTAVES)) {
                    *octave = Octave { pauses, seconds };
                }
            }
            Some(half)
        };
        let (newer, older) = (half().unwrap_or_default(), half().unwrap_or_default());
        Self { heard_at, data_at, well_since, since, newer, older }
    }
}

fn octave_of(seconds: i64) -> usize {
    let times = (seconds / SHORTEST).max(1);
    usize::try_from(times.ilog2()).unwrap_or(OCTAVES).min(OCTAVES - 1)
}

#[cfg(test)]
mod tests;
