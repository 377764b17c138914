//! Whom a rule is about. Pure.

use model::{CustomerId, Environment, Scope, SourceId};

/// What a scope looks at of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    /// Its customer.
    pub customer: CustomerId,
    /// Its tags and its customer's.
    pub tags: Vec<String>,
    /// Its customer's tier.
    pub tier: Option<String>,
    /// Its platform's slug.
    pub platform: String,
    /// Its source.
    pub source: SourceId,
    /// Its source's environment.
    pub environment: Environment,
    /// Its owner and its customer's.
    pub owners: Vec<String>,
}

/// Whether a connection is in a scope.
pub fn matches(scope: &Scope, of: &Of) -> bool {
    if scope.is_all() {
        return true;
    }
    let listed = any(&scope.customers, |id| *id == of.customer)
        && any(&scope.tags, |tag| of.tags.contains(tag))
        && any(&scope.tiers, |tier| of.tier.as_ref() == Some(tier))
        && any(&scope.platforms, |slug| *slug == of.platform)
        && any(&scope.sources, |id| *id == of.source)
        && any(&scope.environments, |environment| *environment == of.environment)
        && any(&scope.owners, |owner| of.owners.contains(owner));
    listed != scope.except
}

/// Whether a platform as a whole is in a scope: only its list of platforms can tell.
pub fn matches_platform(scope: &Scope, slug: &str) -> bool {
    scope.platforms.is_empty() || scope.platforms.iter().any(|listed| listed == slug) != scope.except
}

/// Whether a source as a whole is in a scope: only its lists of sources and environments can tell.
pub fn matches_source(scope: &Scope, id: SourceId, environment: Environment) -> bool {
    if scope.sources.is_empty() && scope.environments.is_empty() {
        return true;
    }
    let listed =
        any(&scope.sources, |listed| *listed == id) && any(&scope.environments, |listed| *listed == environment);
    listed != scope.except
}

fn any<T>(list: &[T], matching: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(matching)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn sap() -> Of {
        Of {
            customer: CustomerId(Uuid::nil()),
            tags: vec!["gold".to_owned(), "eu".to_owned()],
            tier: Some("A".to_owned()),
            platform: "sap".to_owned(),
            source: SourceId(Uuid::nil()),
            environment: Environment::Production,
            owners: vec!["Ines".to_owned()],
        }
    }

    #[test]
    fn several_lists_must_all_match_and_except_turns_it_round() {
        let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert!(matches(&Scope::default(), &sap()));
        assert!(matches(&Scope { except: true, ..Scope::default() }, &sap()), "all except nobody are all");
        for (scope, matching) in [
            (Scope { platforms: strings(&["netsuite", "sap"]), ..Scope::default() }, true),
            (Scope { platforms: strings(&["netsuite"]), ..Scope::default() }, false),
            (Scope { tags: strings(&["eu"]), tiers: strings(&["A"]), ..Scope::default() }, true),
            (Scope { tags: strings(&["eu"]), tiers: strings(&["B"]), ..Scope::default() }, false),
            (Scope { owners: strings(&["Ines"]), ..Scope::default() }, true),
            (Scope { environments: vec![Environment::Sandbox], ..Scope::default() }, false),
            (Scope { sources: vec![SourceId(Uuid::max())], ..Scope::default() }, false),
            (Scope { customers: vec![CustomerId(Uuid::nil())], ..Scope::default() }, true),
        ] {
            assert_eq!(matches(&scope, &sap()), matching, "{scope:?}");
            assert_eq!(matches(&Scope { except: true, ..scope.clone() }, &sap()), !matching, "{scope:?}");
        }
    }

    proptest! {
        /// Against the plainest reading: each list is empty, or names it, or does not; one that does not is enough to be outside.
        #[test]
        fn one_list_that_does_not_name_it_is_enough(lists in prop::array::uniform7(0u8..3), except: bool) {
            fn list<T>(kind: u8, own: T, other: T) -> Vec<T> {
                match kind {
                    0 => Vec::new(),
                    1 => vec![other, own],
                    _ => vec![other],
                }
            }
            let text = |kind, own: &str| list(kind, own.to_owned(), "other".to_owned());
            let scope = Scope {
                customers: list(lists[0], CustomerId(Uuid::nil()), CustomerId(Uuid::max())),
                tags: text(lists[1], "eu"),
                tiers: text(lists[2], "A"),
                platforms: text(lists[3], "sap"),
                sources: list(lists[4], SourceId(Uuid::nil()), SourceId(Uuid::max())),
                environments: list(lists[5], Environment::Production, Environment::Sandbox),
                owners: text(lists[6], "Ines"),
                except,
            };
            let (all, inside) = (lists.iter().all(|kind| *kind == 0), !lists.contains(&2));
            prop_assert_eq!(matches(&scope, &sap()), all || inside != except, "{:?}", scope);
            let platform = lists[3] == 0 || (lists[3] == 1) != except;
            prop_assert_eq!(matches_platform(&scope, "sap"), platform, "{:?}", scope);
            let source = (lists[4] == 0 && lists[5] == 0) || (lists[4] != 2 && lists[5] != 2) != except;
            prop_assert_eq!(matches_source(&scope, SourceId(Uuid::nil()), Environment::Production), source, "{:?}", scope);
        }
    }

    #[test]
    fn what_has_no_tier_is_in_none() {
        let nothing = Of { tier: None, tags: Vec::new(), owners: Vec::new(), ..sap() };
        for scope in [
            Scope { tiers: vec!["A".to_owned()], ..Scope::default() },
            Scope { tags: vec!["eu".to_owned()], ..Scope::default() },
            Scope { owners: vec!["Ines".to_owned()], ..Scope::default() },
        ] {
            assert!(
                !matches(&scope, &nothing) && matches(&Scope { except: true, ..scope.clone() }, &nothing),
                "{scope:?}"
            );
        }
    }

    #[test]
    fn a_platform_or_a_source_is_told_by_its_own_lists() {
        let only = Scope { platforms: vec!["sap".to_owned()], ..Scope::default() };
        assert!(matches_platform(&only, "sap") && !matches_platform(&only, "maximo"));
        let except = Scope { except: true, ..only };
        assert!(!matches_platform(&except, "sap") && matches_platform(&except, "maximo"));
        assert!(matches_source(&except, SourceId(Uuid::nil()), Environment::Sandbox));
        let sandbox = Scope { environments: vec![Environment::Sandbox], ..Scope::default() };
        assert!(!matches_source(&sandbox, SourceId(Uuid::nil()), Environment::Production));
    }
}
