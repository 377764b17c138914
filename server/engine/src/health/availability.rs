//! How much of a time a connection was up. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use model::{Availability, Health};

/// What a time in a health counts as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Up,
    Down,
    Unknown,
    Apart,
}

/// Unknown is never up. None: before it was first seen, and after it was removed.
fn counts(health: Option<Health>) -> Counts {
    match health {
        Some(Health::Healthy) => Counts::Up,
        Some(Health::ReauthorizationRequired | Health::Offline | Health::Failing | Health::Late | Health::Unstable) => {
            Counts::Down
        }
        Some(Health::Unknown) => Counts::Unknown,
        Some(Health::FirstSync | Health::Paused) | None => Counts::Apart,
    }
}

/// Availability over so many days until `now`, in whole seconds. `changes`: when which health began, in the order of time; what
/// lies before the window counts for how it begins, what lies after `now` for nothing.
pub fn availability(days: u16, now: DateTime<Utc>, changes: &[(DateTime<Utc>, Option<Health>)]) -> Availability {
    let (from, to) = ((now - TimeDelta::days(i64::from(days))).timestamp(), now.timestamp());
    let (mut up_seconds, mut down_seconds, mut unknown_seconds, mut apart_seconds, mut incidents) = (0, 0, 0, 0, 0);
    let (mut since, mut current) = (from, Counts::Apart);
    let end = [(now, None)];
    for (at, health) in changes.iter().chain(&end) {
        let at = at.timestamp().clamp(since, to);
        let lasted = at - since;
        match current {
            Counts::Up => up_seconds += lasted,
            Counts::Down => down_seconds += lasted,
            Counts::Unknown => unknown_seconds += lasted,
            Counts::Apart => apart_seconds += lasted,
        }
        let next = counts(*health);
        incidents += i64::from(next == Counts::Down && current != Counts::Down && from < at && at < to);
        (since, current) = (at, next);
    }
    let judged = up_seconds + down_seconds;
    #[expect(clippy::cast_precision_loss, reason = "seconds of at most some hundred days")]
    let percent = (judged > 0).then(|| up_seconds as f64 / judged as f64 * 100.0);
    Availability {
        days,
        up_seconds,
        down_seconds,
        unknown_seconds,
        apart_seconds,
        maintenance_seconds: 0,
        percent,
        incidents,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// The health that stands in one second.
    fn standing(changes: &[(DateTime<Utc>, Option<Health>)], second: i64) -> Option<Health> {
        changes.iter().take_while(|(begins, _)| begins.timestamp() <= second).last().and_then(|(_, health)| *health)
    }

    fn story() -> impl Strategy<Value = Vec<(DateTime<Utc>, Option<Health>)>> {
        let health = prop::option::of(prop::sample::select(Health::ALL));
        prop::collection::vec((-9_000i64..95_000, health), 0..40).prop_map(|mut story| {
            story.sort_by_key(|(second, _)| *second);
            story.into_iter().map(|(second, health)| (at(second), health)).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn counts_as_a_watch_that_looks_every_second(changes in story()) {
            let found = availability(1, at(86_400), &changes);
            let (mut up, mut down, mut unknown, mut apart, mut incidents) = (0, 0, 0, 0, 0);
            let mut before = Counts::Down;
            for second in 0..86_400 {
                let now = counts(standing(&changes, second));
                match now {
                    Counts::Up => up += 1,
                    Counts::Down => down += 1,
                    Counts::Unknown => unknown += 1,
                    Counts::Apart => apart += 1,
                }
                incidents += i64::from(second > 0 && now == Counts::Down && before != Counts::Down);
                before = now;
            }
            prop_assert_eq!(
                (found.up_seconds, found.down_seconds, found.unknown_seconds, found.apart_seconds),
                (up, down, unknown, apart)
            );
            prop_assert_eq!(up + down + unknown + apart, 86_400);
            // within one second a watch cannot see how often it went down
            prop_assert!(found.incidents >= incidents);
            prop_assert_eq!(found.percent.is_some(), up + down > 0);
            prop_assert!(found.percent.is_none_or(|percent| (0.0..=100.0).contains(&percent)));
        }
    }

    #[test]
    fn what_went_down_outside_the_window_did_not_go_down_in_it() {
        let before = availability(1, at(86_400), &[(at(-10), Some(Health::Offline))]);
        assert_eq!((before.incidents, before.down_seconds, before.percent), (0, 86_400, Some(0.0)));
        let after =
            availability(1, at(86_400), &[(at(-10), Some(Health::Healthy)), (at(86_401), Some(Health::Offline))]);
        assert_eq!((after.incidents, after.up_seconds, after.percent), (0, 86_400, Some(100.0)));
    }

    #[test]
    fn unknown_is_never_up_and_what_nobody_could_see_is_neither() {
        let changes = [
            (at(40_000), Some(Health::FirstSync)),
            (at(50_000), Some(Health::Healthy)),
            (at(60_000), Some(Health::Unknown)),
            (at(70_000), Some(Health::Late)),
            (at(75_000), Some(Health::Offline)),
            (at(80_000), None),
        ];
        let found = availability(1, at(86_400), &changes);
        assert_eq!((found.up_seconds, found.down_seconds, found.unknown_seconds), (10_000, 10_000, 10_000));
        assert_eq!((found.apart_seconds, found.percent, found.incidents), (56_400, Some(50.0), 1));
        assert_eq!(availability(7, at(0), &[]).percent, None);
    }
}
