//! Who is told: routes in order, the first that matches takes an alert, unless it lets the ones after it be asked too. Pure.

use super::{Facts, admits, admits_any};
use model::{Route, RouteMatch};

/// Whether a route takes this alert.
pub fn matches(wanted: &RouteMatch, facts: &Facts) -> bool {
    admits(&wanted.rule_ids, Some(&facts.rule))
        && admits(&wanted.severities, Some(&facts.severity))
        && admits(&wanted.platforms, facts.platform.as_ref())
        && admits(&wanted.customers, facts.customer.as_ref())
        && admits_any(&wanted.tags, &facts.tags)
        && admits(&wanted.tiers, facts.tier.as_ref())
        && admits(&wanted.sources, facts.source.as_ref())
        && admits(&wanted.environments, facts.environment.as_ref())
}

/// The routes that take this alert, in order; none: nobody is told. `routes` are in order.
pub fn takers<'a>(routes: &'a [Route], facts: &Facts) -> Vec<&'a Route> {
    let mut takers = Vec::new();
    for route in routes.iter().filter(|route| matches(&route.matching, facts)) {
        takers.push(route);
        if !route.goes_on {
            break;
        }
    }
    takers
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::samples::facts;
    use super::*;
    use model::{RouteId, Severity};
    use proptest::prelude::*;
    use uuid::Uuid;

    pub(crate) fn route(n: i32, matching: RouteMatch, goes_on: bool) -> Route {
        Route {
            id: RouteId(Uuid::from_u128(n.unsigned_abs().into())),
            name: n.to_string(),
            position: n,
            matching,
            goes_on,
            channels: Vec::new(),
            group_by: None,
            first_wait_seconds: 0,
            interval_seconds: 300,
            repeat_seconds: None,
            version: 1,
        }
    }

    #[test]
    fn an_empty_list_matches_all_and_what_is_not_known_matches_no_list() {
        let mut one = facts(1);
        assert!(matches(&RouteMatch::default(), &one));
        let sap = RouteMatch { platforms: vec!["sap".into()], ..RouteMatch::default() };
        assert!(matches(&sap, &one));
        one.platform = None;
        assert!(!matches(&sap, &one));
        let tags = RouteMatch { tags: vec!["silver".into(), "gold".into()], ..RouteMatch::default() };
        assert!(matches(&tags, &one));
        let both = RouteMatch { severities: vec![Severity::Info], ..tags };
        assert!(!matches(&both, &one), "several lists must all match");
    }

    proptest! {
        /// Against the simplest model: walk and stop.
        #[test]
        fn the_first_that_matches_takes_it_unless_it_lets_others_too(kinds in prop::collection::vec((any::<bool>(), any::<bool>()), 0..8)) {
            let routes: Vec<_> = kinds.iter().zip(1..).map(|((takes, goes_on), n)| {
                let severity = if *takes { Severity::Critical } else { Severity::Info };
                route(n, RouteMatch { severities: vec![severity], ..RouteMatch::default() }, *goes_on)
            }).collect();
            let mut expected = Vec::new();
            let mut asked = true;
            for ((takes, goes_on), n) in kinds.iter().zip(1..) {
                if asked && *takes {
                    expected.push(n);
                    asked = *goes_on;
                }
            }
            let taken: Vec<_> = takers(&routes, &facts(1)).iter().map(|route| route.position).collect();
            prop_assert_eq!(taken, expected);
        }
    }
}
