//! When a delivery is tried again. Pure; time and chance are handed in.
//!
//! 30 seconds after the first failure, then twice as long each time, and once more 23 h 50 min after the schedule began:
//! 13 tries if every one fails, and none after 24 hours.

use chrono::{DateTime, TimeDelta, Utc};

/// The pause after the first failure.
const FIRST: TimeDelta = TimeDelta::seconds(30);
/// When the last try is due, after the schedule began.
pub const LAST: TimeDelta = TimeDelta::minutes(23 * 60 + 50);
/// Nothing is tried so long after the schedule began.
pub const LIFE: TimeDelta = TimeDelta::hours(24);
/// Tries of one schedule.
pub const MOST: u32 = 13;
/// Of a pause, chance adds up to this. Only ever added: with more, the last doubling would pass the end.
const SPREAD: f64 = 0.2;

/// When to try again after `failed` failures of this schedule, the newest just now; none: it was the last. A receiver's wish
/// (`Retry-After`) makes the pause longer, never shorter, and never moves the last try. `chance` is from 0 to 1.
pub fn again(
    begun_at: DateTime<Utc>,
    now: DateTime<Utc>,
    failed: u32,
    wished: Option<TimeDelta>,
    chance: f64,
) -> Option<DateTime<Utc>> {
    let last = begun_at + LAST;
    if failed >= MOST || now >= last {
        return None;
    }
    if failed + 1 >= MOST {
        return Some(last);
    }
    let doubled = FIRST.num_milliseconds() << failed.saturating_sub(1).min(16);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds of at most weeks")]
    let spread = (doubled as f64 * SPREAD * chance.clamp(0.0, 1.0)) as i64;
    let pause = TimeDelta::milliseconds(doubled + spread).max(wished.unwrap_or_default().min(LIFE));
    let due = now + pause;
    // what would come just before the last try is the last try
    Some(if due + FIRST > last { last } else { due })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn begin() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_dead_receiver_is_tried_thirteen_times_the_last_after_23_h_50() {
        for chance in [0.0, 0.5, 1.0] {
            let (mut at, mut times) = (begin(), vec![TimeDelta::zero()]);
            while let Some(next) = again(begin(), at, u32::try_from(times.len()).unwrap(), None, chance) {
                at = next;
                times.push(at - begin());
            }
            assert_eq!((times.len(), times.last()), (13, Some(&LAST)), "{times:?}");
            assert!((30..=36).contains(&times[1].num_seconds()), "{times:?}");
        }
    }

    #[test]
    fn a_receivers_wish_moves_a_try_but_not_the_last() {
        let at = |seconds| begin() + TimeDelta::seconds(seconds);
        assert_eq!(again(begin(), at(0), 1, Some(TimeDelta::seconds(600)), 0.0), Some(at(600)));
        assert_eq!(again(begin(), at(0), 1, Some(TimeDelta::seconds(1)), 0.0), Some(at(30)), "never sooner");
        assert_eq!(again(begin(), at(0), 1, Some(TimeDelta::days(9)), 0.0), Some(begin() + LAST));
        assert_eq!(again(begin(), begin() + LAST, 3, None, 0.0), None);
    }

    proptest! {
        /// Whatever is answered and however long that takes: at most 13 tries, none after 24 h, each after the one before.
        #[test]
        fn no_sequence_of_answers_breaks_the_schedule(
            answers in proptest::collection::vec((0i64..10_000, proptest::option::of(0i64..200_000), 0.0f64..=1.0), 40),
        ) {
            let (mut at, mut tries) = (begin(), 0);
            for (took, wished, chance) in answers {
                prop_assert!(at - begin() < LIFE);
                tries += 1;
                let ended = at + TimeDelta::milliseconds(took);
                match again(begin(), ended, tries, wished.map(TimeDelta::seconds), chance) {
                    Some(next) => {
                        prop_assert!(next > ended || next == begin() + LAST);
                        prop_assert!(next > at && next <= begin() + LAST);
                        at = next;
                    }
                    None => {
                        prop_assert!(tries <= MOST);
                        prop_assert!(ended >= begin() + LAST, "it ends only at the end");
                        return Ok(());
                    }
                }
            }
            prop_assert!(false, "it never ended");
        }
    }
}
