//! Which alerts are told together, and when. Pure.

use super::Facts;
use chrono::{DateTime, TimeDelta, Utc};
use model::{GroupBy, Route};

/// How long what joins right after the first message is collected.
pub const COLLECTED: TimeDelta = TimeDelta::seconds(5);

/// What the alerts of a group have in common. A rule groups its own alerts; a route that says how, groups those of all rules.
pub fn key(route: &Route, facts: &Facts) -> String {
    let (by, across) = match route.group_by {
        Some(by) => (by, true),
        None => (facts.group_by, false),
    };
    let each = || format!("subject:{}:{}", facts.subject.kind, facts.subject.id);
    let shared = match by {
        GroupBy::Rule => return format!("rule:{}", facts.rule),
        GroupBy::Subject => return format!("rule:{} {}", facts.rule, each()),
        GroupBy::Platform => facts.platform.as_ref().map(|slug| format!("platform:{slug}")),
        GroupBy::Source => facts.source.map(|id| format!("source:{id}")),
        GroupBy::Customer => facts.customer.map(|id| format!("customer:{id}")),
    };
    // what has none of the kind is told by itself
    let shared = shared.unwrap_or_else(each);
    if across { shared } else { format!("rule:{} {shared}", facts.rule) }
}

/// What decides when a group is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// How often it was told since it last began.
    pub messages: i32,
    /// When it was last told.
    pub told_at: Option<DateTime<Utc>>,
    /// When it changed since.
    pub changed_at: DateTime<Utc>,
    /// How long the first message waits for others.
    pub first_wait: TimeDelta,
    /// How long further ones are collected.
    pub interval: TimeDelta,
}

/// When what changed is told: the first at once or after the route's wait; the next after a few seconds; the rest by the interval.
pub fn due(rhythm: &Rhythm) -> DateTime<Utc> {
    match (rhythm.messages, rhythm.told_at) {
        (..=0, _) | (_, None) => rhythm.changed_at + rhythm.first_wait,
        (1, Some(_)) => rhythm.changed_at + COLLECTED,
        (_, Some(told_at)) => (rhythm.changed_at + COLLECTED).max(told_at + rhythm.interval),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{route::tests::route, samples::facts};
    use super::*;
    use model::RouteMatch;
    use proptest::prelude::*;

    #[test]
    fn a_route_that_groups_does_so_across_rules() {
        let mut route = route(1, RouteMatch::default(), false);
        let (mut one, mut other) = (facts(1), facts(2));
        other.rule = model::RuleId(uuid::Uuid::from_u128(9));
        assert_ne!(key(&route, &one), key(&route, &other));
        for by in [GroupBy::Platform, GroupBy::Source, GroupBy::Customer] {
            route.group_by = Some(by);
            assert_eq!(key(&route, &one), key(&route, &other));
            (route.group_by, one.group_by, other.group_by) = (None, by, by);
            assert_ne!(key(&route, &one), key(&route, &other), "a rule groups its own");
        }
        route.group_by = Some(GroupBy::Subject);
        assert_ne!(key(&route, &one), key(&route, &other));
    }

    #[test]
    fn what_has_no_platform_is_told_by_itself() {
        let mut route = route(1, RouteMatch::default(), false);
        route.group_by = Some(GroupBy::Platform);
        let (mut one, mut other) = (facts(1), facts(2));
        (one.platform, other.platform) = (None, None);
        assert_ne!(key(&route, &one), key(&route, &other));
    }

    proptest! {
        #[test]
        fn a_change_is_never_told_before_it_and_never_later_than_its_waits(
            messages in 0..5i32, told in prop::option::of(-1_000..0i64), wait in 0..600i64, interval in 0..3_600i64,
        ) {
            let changed_at = DateTime::UNIX_EPOCH + TimeDelta::days(1);
            let rhythm = Rhythm {
                messages,
                told_at: told.map(|ago| changed_at + TimeDelta::seconds(ago)),
                changed_at,
                first_wait: TimeDelta::seconds(wait),
                interval: TimeDelta::seconds(interval),
            };
            let due = due(&rhythm);
            prop_assert!(due >= changed_at);
            prop_assert!(due <= changed_at + rhythm.first_wait.max(rhythm.interval).max(COLLECTED));
            if messages == 0 {
                prop_assert_eq!(due, changed_at + rhythm.first_wait);
            }
            if let (2.., Some(told_at)) = (messages, rhythm.told_at) {
                prop_assert!(due >= told_at + rhythm.interval);
            }
        }
    }
}
