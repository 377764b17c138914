//! From an alert to a message, in stages that each decide one thing: group → route → mute → dedup → a named reason.
//!
//! Every stage is pure and by itself in a file; [`worker`] runs them over the rows of the moment, [`explain`] says in sentences
//! what they decide for one alert. What comes out are rows of `notification`; `crate::notify` sends them.

pub mod dedup;
pub mod digest;
pub mod explain;
pub mod group;
mod links;
pub mod mute;
pub mod recurrence;
pub mod route;
pub mod worker;

pub use links::{Link, LinkError, Links, Purpose, fresh_links};
pub use worker::Teller;

use model::{
    AlertId, AlertState, ConnectionId, CustomerId, Environment, GroupBy, MutedBy, RuleId, Severity, SourceId, Subject,
};

/// What the stages know of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Which; a sample's is nil.
    pub alert: AlertId,
    /// Its rule.
    pub rule: RuleId,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// Where it stands.
    pub state: AlertState,
    /// Why it is not told, as last decided.
    pub muted_by: Option<MutedBy>,
    /// Whether somebody has it.
    pub acknowledged: bool,
    /// The connection, where it is about one.
    pub connection: Option<ConnectionId>,
    /// The platform's slug.
    pub platform: Option<String>,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// The source.
    pub source: Option<SourceId>,
    /// The source's environment.
    pub environment: Option<Environment>,
    /// Tags of the connection and its customer.
    pub tags: Vec<String>,
    /// The customer's tier.
    pub tier: Option<String>,
    /// Owners of the connection and its customer.
    pub owners: Vec<String>,
    /// Which of the rule's alerts are told together.
    pub group_by: GroupBy,
    /// After how many seconds the rule has it told again; 0: never.
    pub repeat_seconds: i64,
}

/// Whether a list lets this through: an empty one lets all.
fn admits<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(value))
}

/// The same for a thing with several values: one of them must be in the list.
fn admits_any<T: PartialEq>(list: &[T], values: &[T]) -> bool {
    list.is_empty() || values.iter().any(|value| list.contains(value))
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use model::SubjectKind;
    use uuid::Uuid;

    /// An alert about a connection of this number.
    pub(crate) fn facts(n: u128) -> Facts {
        Facts {
            alert: AlertId(Uuid::from_u128(n)),
            rule: RuleId(Uuid::from_u128(1)),
            severity: Severity::Critical,
            subject: Subject { kind: SubjectKind::Connection, id: Uuid::from_u128(n).to_string(), name: n.to_string() },
            state: AlertState::Firing,
            muted_by: None,
            acknowledged: false,
            connection: Some(ConnectionId(Uuid::from_u128(n))),
            platform: Some("sap".to_owned()),
            customer: Some(CustomerId(Uuid::from_u128(2))),
            source: Some(SourceId(Uuid::from_u128(3))),
            environment: Some(Environment::Production),
            tags: vec!["gold".to_owned()],
            tier: Some("a".to_owned()),
            owners: vec!["ines".to_owned()],
            group_by: GroupBy::Rule,
            repeat_seconds: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::mute::{in_scope, silences};
    use super::{route::matches, samples::facts};
    use model::{
        AlertId, ConnectionId, CustomerId, Environment, RouteMatch, RuleId, Scope, Severity, SilenceMatch, SourceId,
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    fn list<T>(kind: u8, own: T, other: T) -> Vec<T> {
        match kind {
            0 => Vec::new(),
            1 => vec![other, own],
            _ => vec![other],
        }
    }

    proptest! {
        /// Of silences, scopes and routes alike, against the plainest reading: each list is empty, or names it, or does not; one that
        /// does not is enough.
        #[test]
        fn one_list_that_does_not_name_it_is_enough(lists in prop::array::uniform11(0u8..3), except: bool) {
            let own = facts(1);
            let text = |kind, own: &str| list(kind, own.to_owned(), "other".to_owned());
            let [rules, severities, alerts, connections, customers, platforms, sources, tags, tiers, environments, owners] = lists;
            let rule_ids = list(rules, own.rule, RuleId(Uuid::max()));
            let severe = list(severities, own.severity, Severity::Info);
            let customer_ids = list(customers, CustomerId(Uuid::from_u128(2)), CustomerId(Uuid::max()));
            let source_ids = list(sources, SourceId(Uuid::from_u128(3)), SourceId(Uuid::max()));
            let kinds = list(environments, Environment::Production, Environment::Sandbox);

            let silence = SilenceMatch {
                rule_ids: rule_ids.clone(),
                severities: severe.clone(),
                alert_ids: list(alerts, own.alert, AlertId(Uuid::max())),
                connections: list(connections, ConnectionId(Uuid::from_u128(1)), ConnectionId(Uuid::max())),
                customers: customer_ids.clone(),
                platforms: text(platforms, "sap"),
                sources: source_ids.clone(),
                tags: text(tags, "gold"),
            };
            let named = [rules, severities, alerts, connections, customers, platforms, sources, tags];
            prop_assert_eq!(silences(&silence, &own), !named.contains(&2), "{:?}", silence);

            let route = RouteMatch {
                rule_ids,
                severities: severe,
                platforms: text(platforms, "sap"),
                customers: customer_ids.clone(),
                tags: text(tags, "gold"),
                tiers: text(tiers, "a"),
                sources: source_ids.clone(),
                environments: kinds.clone(),
            };
            let named = [rules, severities, platforms, customers, tags, tiers, sources, environments];
            prop_assert_eq!(matches(&route, &own), !named.contains(&2), "{:?}", route);

            let scope = Scope {
                customers: customer_ids,
                tags: text(tags, "gold"),
                tiers: text(tiers, "a"),
                platforms: text(platforms, "sap"),
                sources: source_ids,
                environments: kinds,
                owners: text(owners, "ines"),
                except,
            };
            let named = [customers, tags, tiers, platforms, sources, environments, owners];
            let all = named.iter().all(|kind| *kind == 0);
            prop_assert_eq!(in_scope(&scope, &own), all || named.contains(&2) == except, "{:?}", scope);
        }
    }
}
