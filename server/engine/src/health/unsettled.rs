//! Flapping: what turns bad again and again is unstable, one thing, until it has been calm. Pure.

use super::{Judgement, judge::headline};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Authorization, Cause, DataFlow, Health};

/// Turning bad so often …
const OFTEN: usize = 4;
/// … within this time is flapping, …
const WITHIN: TimeDelta = TimeDelta::hours(1);
/// … until it has not turned bad for so long.
pub(super) const CALM: TimeDelta = TimeDelta::minutes(10);
/// So many turns are remembered.
const KEPT: usize = 8;

fn bad(health: Health) -> bool {
    health < Health::Unstable
}

/// Remembers that a connection has turned bad, if it has: from what its dimensions showed, to what they show.
pub(super) fn remember(
    flips: &mut Vec<DateTime<Utc>>,
    before: (Authorization, DataFlow),
    after: (Authorization, DataFlow),
    now: DateTime<Utc>,
) {
    if !bad(headline(before.0, before.1)) && bad(headline(after.0, after.1)) {
        flips.push(now);
        let extra = flips.len().saturating_sub(KEPT);
        flips.drain(..extra);
    }
}

/// Lays `unstable` over a judgement while the connection flaps. What the customer must do, and what nobody knows, stands.
pub(super) fn overlay(mut judged: Judgement, flips: &[DateTime<Utc>], now: DateTime<Utc>) -> Judgement {
    if matches!(judged.health, Health::ReauthorizationRequired | Health::Unknown) {
        return judged;
    }
    let Some(last) = flips.last() else { return judged };
    let recent = flips.iter().filter(|at| *last - **at <= WITHIN).count();
    let until = *last + CALM;
    if recent >= OFTEN && now < until {
        judged.health = Health::Unstable;
        judged.cause = Some(Cause::Flapping);
        judged.detail = None;
        judged.due = Some(judged.due.map_or(until, |due| due.min(until)));
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WELL: (Authorization, DataFlow) = (Authorization::Authorized, DataFlow::Fresh);
    const OFFLINE: (Authorization, DataFlow) = (Authorization::Authorized, DataFlow::Offline);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn judged(shown: (Authorization, DataFlow)) -> Judgement {
        let health = headline(shown.0, shown.1);
        let cause = (health != Health::Healthy).then_some(Cause::PlatformUnreachable);
        Judgement { authorization: shown.0, data_flow: shown.1, health, cause, detail: None, due: None }
    }

    /// Offline at each of these seconds, and well a second later.
    fn flapping(seconds: &[i64]) -> Vec<DateTime<Utc>> {
        let mut flips = Vec::new();
        for second in seconds {
            remember(&mut flips, WELL, OFFLINE, at(*second));
            remember(&mut flips, OFFLINE, WELL, at(*second + 1));
        }
        flips
    }

    #[test]
    fn four_times_within_an_hour_is_unstable_until_ten_minutes_of_calm() {
        let flips = flapping(&[0, 100, 200, 300]);
        for shown in [WELL, OFFLINE] {
            let now = overlay(judged(shown), &flips, at(301));
            assert_eq!((now.health, now.cause), (Health::Unstable, Some(Cause::Flapping)));
            assert_eq!((now.data_flow, now.due), (shown.1, Some(at(900))), "the dimensions tell the truth");
        }
        assert_eq!(overlay(judged(WELL), &flips, at(900)).health, Health::Healthy);
        assert_eq!(
            overlay(judged(OFFLINE), &flips, at(900)).health,
            Health::Offline,
            "it no longer flaps: it is offline"
        );
        assert_eq!(overlay(judged(WELL), &flapping(&[0, 100, 200]), at(201)).health, Health::Healthy);
        assert_eq!(overlay(judged(WELL), &flapping(&[0, 2_000, 4_000, 6_000]), at(6_001)).health, Health::Healthy);
        let refused = (Authorization::ReauthorizationRequired, DataFlow::Fresh);
        assert_eq!(overlay(judged(refused), &flips, at(301)).health, Health::ReauthorizationRequired);
    }

    proptest! {
        #[test]
        fn the_overlay_ends_by_the_clock_when_it_said(gaps in prop::collection::vec(1i64..2_000, 1..20), later in 0i64..2_000) {
            let mut second = 0;
            let seconds: Vec<_> = gaps.iter().map(|gap| { second += gap; second }).collect();
            let flips = flapping(&seconds);
            prop_assert!(flips.len() <= KEPT);
            let now = overlay(judged(WELL), &flips, at(second + later));
            match now.due {
                Some(due) => {
                    prop_assert_eq!(now.health, Health::Unstable);
                    prop_assert_eq!(overlay(judged(WELL), &flips, due).health, Health::Healthy);
                }
                None => prop_assert_eq!(now.health, Health::Healthy),
            }
        }
    }
}
