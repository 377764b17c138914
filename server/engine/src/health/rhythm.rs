//! How often a connection syncs, learned from when it did. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// So many of the newest intervals are kept.
const KEPT: usize = 24;
/// So few teach nothing.
const ENOUGH: usize = 5;
/// Syncs closer together than this are one burst.
const BURST: TimeDelta = TimeDelta::seconds(5);
/// Syncs further apart than this are not one rhythm.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// The seconds between good syncs, newest last. First syncs and what lay around an outage are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// The newest intervals, in seconds, at most 24.
    pub intervals: Vec<i32>,
    /// How many were seen in all.
    pub syncs: i32,
}

/// A cadence that was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// In seconds.
    pub seconds: i64,
    /// From so many syncs.
    pub syncs: i32,
}

impl Rhythm {
    /// A good sync followed a good one, and all was well in between.
    pub fn note(&mut self, before: DateTime<Utc>, after: DateTime<Utc>) {
        let between = after - before;
        if !(BURST..=LONGEST).contains(&between) {
            return;
        }
        self.intervals.push(i32::try_from(between.num_seconds()).unwrap_or(i32::MAX));
        let extra = self.intervals.len().saturating_sub(KEPT);
        self.intervals.drain(..extra);
        self.syncs = self.syncs.saturating_add(1);
    }

    /// The cadence that four of five intervals keep. Not the middle one: where several short syncs follow each long pause, the
    /// pause is what one has to expect; a rare longer pause is not.
    pub fn learned(&self) -> Option<Learned> {
        if self.intervals.len() < ENOUGH {
            return None;
        }
        let mut sorted = self.intervals.clone();
        sorted.sort_unstable();
        let seconds = i64::from(sorted[(sorted.len() * 4).div_ceil(5) - 1]);
        Some(Learned { seconds, syncs: self.syncs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn learned_from(intervals: &[i64]) -> Option<i64> {
        let mut rhythm = Rhythm::default();
        let mut at = DateTime::UNIX_EPOCH;
        for seconds in intervals {
            let next = at + TimeDelta::seconds(*seconds);
            rhythm.note(at, next);
            at = next;
        }
        rhythm.learned().map(|learned| learned.seconds)
    }

    #[test]
    fn few_teach_nothing_and_many_teach_what_four_of_five_keep() {
        assert_eq!(learned_from(&[900; 4]), None);
        assert_eq!(learned_from(&[900; 5]), Some(900));
        assert_eq!(learned_from(&[900, 905, 895, 900, 7_200, 910, 890]), Some(910), "one outage teaches nothing");
        assert_eq!(learned_from(&[20, 20, 860].repeat(6)), Some(860), "a burst and a pause: the pause counts");
        assert_eq!(learned_from(&[1, 899].repeat(6)), Some(899), "a burst is one sync");
    }

    #[test]
    fn a_new_rhythm_takes_the_place_of_the_old_one() {
        let slower: Vec<_> = std::iter::repeat_n(900, 100).chain(std::iter::repeat_n(3_600, 24)).collect();
        assert_eq!(learned_from(&slower), Some(3_600));
    }

    proptest! {
        #[test]
        fn what_is_learned_was_seen(intervals in prop::collection::vec(5i64..100_000, 0..60)) {
            let newest = &intervals[intervals.len().saturating_sub(24)..];
            match learned_from(&intervals) {
                Some(seconds) => {
                    prop_assert!(newest.contains(&seconds));
                    let kept = newest.iter().filter(|interval| **interval <= seconds).count();
                    prop_assert!(kept * 5 >= newest.len() * 4);
                }
                None => prop_assert!(intervals.len() < 5),
            }
        }
    }
}
