//! Whether the condition of a rule holds, and since when. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use model::{Health, When, WhenKind};

/// A set of healths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Healths(u16);

impl Healths {
    /// From a list.
    pub fn of(list: &[Health]) -> Self {
        Self(list.iter().fold(0, |set, health| set | 1 << health.rank()))
    }

    /// Whether it holds this one; what is removed is in none.
    pub fn contains(self, health: Option<Health>) -> bool {
        health.is_some_and(|health| self.0 & 1 << health.rank() != 0)
    }

    /// The ranks of those in it, as the database keeps them.
    pub fn ranks(self) -> Vec<i16> {
        Health::ALL.iter().filter(|health| self.contains(Some(**health))).map(|health| health.rank()).collect()
    }

    /// All that are in one of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Whether a health says something of our sight rather than of the connection.
pub fn is_blindness(health: Option<Health>) -> bool {
    matches!(health, Some(Health::Unknown | Health::Late))
}

/// Whether `connection_health` holds. While its source cannot be seen, what only says so starts nothing; what `fires` goes on.
pub fn health_holds(healths: Healths, health: Option<Health>, blind: bool, fires: bool) -> bool {
    healths.contains(health) && (fires || !(blind && is_blindness(health)))
}

/// Whether `share_of_connections`, or the counts of `failed_webhooks`, hold: so many of so many.
pub fn many(when: &When, hit: u64, total: u64) -> bool {
    let enough = when.at_least.is_none_or(|least| hit >= u64::from(least));
    let share = when.percent.is_none_or(|percent| hit.saturating_mul(100) >= total.saturating_mul(u64::from(percent)));
    hit > 0 && (when.at_least.is_some() || when.percent.is_some()) && enough && share
}

/// Whether `failed_webhooks` holds, with so many that failed of so many that came.
pub fn fails(when: &When, failed: u64, taken: u64) -> bool {
    match when.older_than_seconds {
        Some(_) => failed >= u64::from(when.at_least.unwrap_or(1)),
        None => many(when, failed, taken.max(failed)),
    }
}

/// Whether a connection of this health is looked at: what is paused has nothing to come, and a first sync takes its time.
pub fn waits(kind: WhenKind, health: Option<Health>) -> bool {
    match kind {
        WhenKind::SyncLate => !matches!(health, None | Some(Health::Paused | Health::FirstSync)),
        WhenKind::Silence => !matches!(health, None | Some(Health::Paused)),
        _ => health.is_some(),
    }
}

/// From when on a secret is too old, or too near to its end.
pub fn aged_since(when: &When, created_at: DateTime<Utc>, expires_at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    let days = |days: Option<u32>| TimeDelta::try_days(i64::from(days?));
    let by_age = days(when.days).and_then(|days| created_at.checked_add_signed(days));
    let by_end = expires_at.zip(days(when.expires_in_days)).and_then(|(end, days)| end.checked_sub_signed(days));
    // it cannot have been too near before it was there
    [by_age, by_end.map(|at| at.max(created_at))].into_iter().flatten().min()
}

/// From when on the last good sync is too old.
pub fn late_since(when: &When, last_good: Option<DateTime<Utc>>, cadence: Option<i64>) -> Option<DateTime<Utc>> {
    let last = last_good?;
    let by_cadence = when.cadences.zip(cadence).and_then(|(cadences, seconds)| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "seconds of months, bounded by what may be saved"
        )]
        let patience = TimeDelta::try_milliseconds((cadences * seconds as f64 * 1_000.0) as i64)?;
        last.checked_add_signed(patience)
    });
    let by_time = when.seconds.and_then(|seconds| last.checked_add_signed(TimeDelta::try_seconds(seconds)?));
    match (by_cadence, by_time) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// From when on it has been silent for too long.
pub fn silent_since(when: &When, last: DateTime<Utc>) -> Option<DateTime<Utc>> {
    last.checked_add_signed(TimeDelta::try_seconds(when.seconds?)?)
}

/// When `flapping` began and ceased to hold, in the order of time: from the moment at which so many turns to worse lie within the
/// window, until that is no longer so. `turns` are in the order of time.
pub fn flapping(turns: &[DateTime<Utc>], often: usize, window: TimeDelta) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    for group in turns.windows(often.max(1)) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let Some(end) = first.checked_add_signed(window).filter(|end| end > last) else { continue };
        match spans.last_mut() {
            Some(span) if *last <= span.1 => span.1 = span.1.max(end),
            _ => spans.push((*last, end)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn what_cannot_be_seen_starts_nothing_and_ends_nothing() {
        let set = Healths::of(&[Health::Offline, Health::Unknown]);
        assert!(health_holds(set, Some(Health::Unknown), false, false));
        assert!(!health_holds(set, Some(Health::Unknown), true, false));
        assert!(health_holds(set, Some(Health::Unknown), true, true));
        assert!(health_holds(set, Some(Health::Offline), true, false), "that was seen");
        assert!(!health_holds(set, None, false, true), "what is gone is over");
        assert_eq!(set.ranks(), [Health::Offline.rank(), Health::Unknown.rank()]);
    }

    #[test]
    fn many_is_what_is_asked() {
        let when = |at_least, percent| When { at_least, percent, ..When::new(WhenKind::ShareOfConnections) };
        assert!(many(&when(Some(5), None), 5, 1_000) && !many(&when(Some(5), None), 4, 4));
        assert!(many(&when(None, Some(30)), 3, 10) && !many(&when(None, Some(30)), 2, 10));
        assert!(!many(&when(Some(5), Some(30)), 4, 10), "both must hold");
        assert!(!many(&when(Some(2), Some(50)), 2, 10) && many(&when(Some(2), Some(50)), 5, 10));
        assert!(!many(&when(Some(0), None), 0, 10), "none is not many");
        assert!(!many(&when(None, Some(30)), 0, 0) && !many(&when(None, None), 9, 9));
    }

    #[test]
    fn what_waits_since_a_time_needs_as_many_as_are_asked_of_and_one_if_none_are() {
        let when = |at_least| When { at_least, older_than_seconds: Some(60), ..When::new(WhenKind::FailedWebhooks) };
        assert!(fails(&when(None), 1, 0) && !fails(&when(None), 0, 9));
        assert!(fails(&when(Some(3)), 3, 0) && !fails(&when(Some(3)), 2, 0));
    }

    #[test]
    fn what_has_nothing_to_come_is_not_waited_for() {
        for health in Health::ALL.iter().copied() {
            let apart = matches!(health, Health::Paused | Health::FirstSync);
            assert_eq!(waits(WhenKind::SyncLate, Some(health)), !apart, "{health}");
            assert_eq!(waits(WhenKind::Silence, Some(health)), health != Health::Paused, "{health}");
            assert!(waits(WhenKind::Flapping, Some(health)), "{health}");
        }
        for kind in [WhenKind::SyncLate, WhenKind::Silence, WhenKind::Flapping] {
            assert!(!waits(kind, None), "what is gone: {kind}");
        }
    }

    #[test]
    fn late_counts_cadences_or_seconds_whichever_is_sooner() {
        let when = |cadences, seconds| When { cadences, seconds, ..When::new(WhenKind::SyncLate) };
        assert_eq!(late_since(&when(Some(2.5), None), Some(at(0)), Some(600)), Some(at(1_500)));
        assert_eq!(late_since(&when(Some(2.5), None), Some(at(0)), None), None, "no cadence, no lateness");
        assert_eq!(late_since(&when(Some(2.5), Some(60)), Some(at(0)), Some(600)), Some(at(60)));
        assert_eq!(late_since(&when(None, Some(60)), None, Some(600)), None);
        assert_eq!(late_since(&when(None, Some(60)), Some(at(0)), Some(600)), Some(at(60)));
        assert_eq!(late_since(&when(Some(2.5), Some(60)), Some(at(0)), None), Some(at(60)));
        assert_eq!(late_since(&when(Some(0.05), Some(60)), Some(at(0)), Some(600)), Some(at(30)));
        assert_eq!(late_since(&when(None, None), Some(at(0)), Some(600)), None);
    }

    #[test]
    fn silence_counts_from_the_last_that_was_heard() {
        let when = |seconds| When { seconds, ..When::new(WhenKind::Silence) };
        assert_eq!(silent_since(&when(Some(90)), at(7)), Some(at(97)));
        assert_eq!(silent_since(&when(None), at(7)), None);
    }

    #[test]
    fn only_unknown_and_late_are_said_of_our_sight() {
        let blind: Vec<_> = Health::ALL.iter().copied().filter(|health| is_blindness(Some(*health))).collect();
        assert_eq!(blind.len(), 2);
        assert!(blind.contains(&Health::Unknown) && blind.contains(&Health::Late) && !is_blindness(None));
    }

    #[test]
    fn a_secret_is_too_old_from_the_day_that_it_became_so() {
        let day = 86_400;
        let when = |days, expires_in_days| When { days, expires_in_days, ..When::new(WhenKind::CredentialAge) };
        assert_eq!(aged_since(&when(Some(90), None), at(0), None), Some(at(90 * day)));
        assert_eq!(aged_since(&when(None, Some(7)), at(0), None), None);
        assert_eq!(aged_since(&when(None, Some(7)), at(0), Some(at(10 * day))), Some(at(3 * day)));
        assert_eq!(aged_since(&when(Some(2), Some(7)), at(0), Some(at(10 * day))), Some(at(2 * day)));
        assert_eq!(aged_since(&when(None, Some(7)), at(0), Some(at(day))), Some(at(0)));
    }

    proptest! {
        #[test]
        fn a_set_of_healths_is_a_set(one in prop::collection::vec(0usize..9, 0..9), other in prop::collection::vec(0usize..9, 0..9)) {
            let of = |those: &[usize]| those.iter().map(|n| Health::ALL[*n]).collect::<Vec<_>>();
            let (one, other) = (of(&one), of(&other));
            let (set, both) = (Healths::of(&one), Healths::of(&one).or(Healths::of(&other)));
            for health in Health::ALL.iter().copied() {
                prop_assert_eq!(set.contains(Some(health)), one.contains(&health));
                prop_assert_eq!(both.contains(Some(health)), one.contains(&health) || other.contains(&health));
                prop_assert_eq!(set.ranks().contains(&health.rank()), one.contains(&health));
            }
            prop_assert!(!both.contains(None));
        }

        #[test]
        fn flapping_is_what_counting_at_every_second_says(
            gaps in prop::collection::vec(0i64..60, 0..20),
            often in 1usize..6,
            window in 1i64..120,
        ) {
            let mut second = 0;
            let turns: Vec<_> = gaps.iter().map(|gap| { second += gap; second }).collect();
            let spans = flapping(
                &turns.iter().map(|second| at(*second)).collect::<Vec<_>>(),
                often,
                TimeDelta::seconds(window),
            );
            prop_assert!(spans.windows(2).all(|pair| pair[0].1 < pair[1].0), "apart: {:?}", &spans);
            for now in 0..second + 200 {
                let counted = turns.iter().filter(|turn| (now - window + 1..=now).contains(turn)).count() >= often;
                let held = spans.iter().any(|(from, to)| (*from..*to).contains(&at(now)));
                prop_assert_eq!(held, counted, "at {}: {:?} of {:?}", now, &spans, &turns);
            }
        }
    }
}
