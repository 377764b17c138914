//! Which alerts are told together, and when. Pure.

use super::Facts;
use chrono::{DateTime, TimeDelta, Utc};
use model::{GroupBy, Route};

/// How long what joins right after the first message is collected: all that fails within a moment is told within five seconds.
pub const COLLECTED: TimeDelta = TimeDelta::seconds(4);

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

    /// Its number, its rule, its platform, source and customer.
    fn alert() -> impl Strategy<Value = (u128, u128, Option<u8>, Option<u128>, Option<u128>)> {
        let maybe = || prop::option::of(0..2u128);
        (1..3u128, 1..3u128, prop::option::of(0..2u8), maybe(), maybe())
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
            if messages == 0 || told.is_none() {
                prop_assert_eq!(due, changed_at + rhythm.first_wait);
            }
            if let (1, Some(_)) = (messages, rhythm.told_at) {
                prop_assert_eq!(due, changed_at + COLLECTED);
            }
            if let (2.., Some(told_at)) = (messages, rhythm.told_at) {
                prop_assert_eq!(due, (told_at + rhythm.interval).max(changed_at + COLLECTED));
            }
        }

        /// Against what a person would say: told together is what has the same rule, unless the route groups across rules, and the
        /// same of what it is grouped by; what has none of that has only itself.
        #[test]
        fn what_is_told_together_has_the_same_of_what_is_asked(
            route_by in prop::option::of(0usize..5), rule_by in 0usize..5, one in alert(), other in alert(),
        ) {
            const ALL: [GroupBy; 5] = [GroupBy::Rule, GroupBy::Subject, GroupBy::Platform, GroupBy::Source, GroupBy::Customer];
            let mut route = route(1, RouteMatch::default(), false);
            route.group_by = route_by.map(|n| ALL[n]);
            let by = route.group_by.unwrap_or(ALL[rule_by]);
            let facts = [one, other].map(|(n, rule, platform, source, customer)| {
                let mut facts = facts(n);
                facts.rule = model::RuleId(uuid::Uuid::from_u128(rule));
                facts.platform = platform.map(|n| n.to_string());
                facts.source = source.map(|n| model::SourceId(uuid::Uuid::from_u128(n)));
                facts.customer = customer.map(|n| model::CustomerId(uuid::Uuid::from_u128(n)));
                facts.group_by = ALL[rule_by];
                facts
            });
            let [a, b] = &facts;
            let subject = a.subject.id == b.subject.id;
            let of = |same: bool, has: [bool; 2]| if has.contains(&true) { same } else { subject };
            let alike = match by {
                GroupBy::Rule => true,
                GroupBy::Subject => subject,
                GroupBy::Platform => of(a.platform == b.platform, [a.platform.is_some(), b.platform.is_some()]),
                GroupBy::Source => of(a.source == b.source, [a.source.is_some(), b.source.is_some()]),
                GroupBy::Customer => of(a.customer == b.customer, [a.customer.is_some(), b.customer.is_some()]),
            };
            // a rule's own word, and what is told subject by subject, never crosses rules
            let crosses = route.group_by.is_some() && !matches!(by, GroupBy::Rule | GroupBy::Subject);
            prop_assert_eq!(key(&route, a) == key(&route, b), alike && (crosses || a.rule == b.rule));
        }
    }
}
