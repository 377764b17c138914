//! Whether a source's webhooks come at all, whatever connection they are about: without that no connection is blamed for its own.
//! Pure.

use super::pulse::HIDDEN;
use chrono::{DateTime, TimeDelta, Utc};

/// In so short a time nothing about pauses can be learned.
const LEARNS_AFTER: TimeDelta = TimeDelta::days(3);

/// A stretch of time in which a source's webhooks came as they usually do, up to its newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// When it began: after the newest unusual pause, whether the source was silent or we were away.
    pub since: DateTime<Utc>,
    /// When the newest came that we have also worked on.
    pub at: DateTime<Utc>,
}

impl Hearing {
    /// From when the first webhook came and when the newest did, and every pause of more than an hour in between, in order. A pause
    /// is usual that is not longer than twice what filled nine tenths of the time before it: nights are, once some were seen.
    pub fn of(first: DateTime<Utc>, pauses: &[(DateTime<Utc>, DateTime<Utc>)], at: DateTime<Utc>) -> Self {
        let mut since = first;
        let mut earlier: Vec<TimeDelta> = Vec::new();
        for (from, to) in pauses {
            let pause = *to - *from;
            if usual(*from - first, &earlier).is_none_or(|usual| pause > usual * 2) && pause > HIDDEN {
                since = *to;
            }
            earlier.insert(earlier.partition_point(|one| *one < pause), pause);
        }
        Self { since, at }
    }
}

/// From the same: after how long a pause since the newest webhook the source itself has stopped to tell; none while that cannot be
/// known yet.
pub fn stops_after(
    first: DateTime<Utc>,
    pauses: &[(DateTime<Utc>, DateTime<Utc>)],
    at: DateTime<Utc>,
) -> Option<TimeDelta> {
    let mut all: Vec<TimeDelta> = pauses.iter().map(|(from, to)| *to - *from).collect();
    all.sort_unstable();
    usual(at - first, &all).map(|usual| usual * 2 + HIDDEN)
}

/// The pause up to which pauses have filled nine tenths of this time, of those longer than an hour, shortest first; what is in none of
/// them is in short ones. None while too little was seen.
fn usual(seen: TimeDelta, pauses: &[TimeDelta]) -> Option<TimeDelta> {
    let mut filled = seen - pauses.iter().sum::<TimeDelta>();
    let mut usual = HIDDEN;
    for pause in pauses {
        if filled * 10 >= seen * 9 {
            break;
        }
        filled += *pause;
        usual = *pause;
    }
    (seen >= LEARNS_AFTER).then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + hours * 3_600, 0).unwrap()
    }

    fn hearing(pauses: &[(i64, i64)], end: i64) -> Hearing {
        let pauses: Vec<_> = pauses.iter().map(|(from, to)| (at(*from), at(*to))).collect();
        Hearing::of(at(0), &pauses, at(end))
    }

    #[test]
    fn an_unusual_pause_begins_it_anew_and_a_night_does_not() {
        assert_eq!(hearing(&[], 100).since, at(0));
        assert_eq!(
            hearing(&[(90, 93)], 100).since,
            at(93),
            "where webhooks come all the time, three hours are unusual"
        );
        let nights: Vec<_> = (0..6).map(|day| (day * 24 + 10, day * 24 + 24)).collect();
        assert_eq!(hearing(&nights, 150).since, at(72), "the first nights are not known to be nights");
        let and_weekend: Vec<_> = nights.iter().copied().chain([(154, 216)]).collect();
        assert_eq!(hearing(&and_weekend, 220).since, at(216));
        assert_eq!(hearing(&[(10, 20)], 21).since, at(20), "too new to know");
    }

    #[test]
    fn it_stops_when_it_pauses_for_longer_than_its_nights() {
        let pauses = |nights: &[(i64, i64)]| nights.iter().map(|(from, to)| (at(*from), at(*to))).collect::<Vec<_>>();
        assert_eq!(stops_after(at(0), &[], at(71)), None);
        assert_eq!(stops_after(at(0), &[], at(72)), Some(TimeDelta::hours(3)));
        let nights: Vec<_> = (0..6).map(|day| (day * 24 + 10, day * 24 + 24)).collect();
        assert_eq!(stops_after(at(0), &pauses(&nights), at(154)), Some(TimeDelta::hours(29)));
        assert_eq!(
            stops_after(at(0), &pauses(&[(30, 42)]), at(300)),
            Some(TimeDelta::hours(3)),
            "an outage is no night"
        );
    }

    proptest! {
        #[test]
        fn it_begins_at_the_beginning_or_after_a_pause(lengths in prop::collection::vec((1i64..50, 2i64..100), 0..60)) {
            let (mut hour, mut pauses) = (0, Vec::new());
            for (heard, pause) in lengths {
                pauses.push((hour + heard, hour + heard + pause));
                hour += heard + pause;
            }
            let found = hearing(&pauses, hour);
            prop_assert!(found.since == at(0) || pauses.iter().any(|(_, to)| at(*to) == found.since));
            // whatever is longer than twice everything before it begins it anew
            if let Some(((from, to), before)) = pauses.split_last() {
                let longest = before.iter().map(|(from, to)| to - from).max().unwrap_or(1);
                if to - from > 2 * longest {
                    prop_assert_eq!(found.since, at(*to));
                }
            }
        }
    }
}
