//! A rule, read back in plain language. Pure.

use model::{CustomerId, Environment, FailureKind, Health, NewRule, Scope, SilenceOf, SourceId, When, WhenKind};
use std::collections::HashMap;

/// The names of what rules speak of by id.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Customers.
    pub customers: HashMap<CustomerId, String>,
    /// Platforms, by slug.
    pub platforms: HashMap<String, String>,
    /// Sources.
    pub sources: HashMap<SourceId, String>,
}

/// The rule as a sentence or four.
pub fn sentence(rule: &NewRule, names: &Names) -> String {
    let when = condition(&rule.when, &rule.scope, names);
    let patience = match rule.for_seconds.unwrap_or(0) {
        0 => String::new(),
        seconds => format!(" for {}", span(seconds)),
    };
    let severity = rule.severity.unwrap_or(model::Severity::Warning).words().to_lowercase();
    let over = match rule.hold_seconds.unwrap_or(300) {
        0 => "Over at once.".to_owned(),
        seconds => format!("Over after {}.", span(seconds)),
    };
    let again = match rule.repeat_seconds.unwrap_or(4 * 3_600) {
        0 => "Told once.".to_owned(),
        seconds => format!("Told again every {}.", every(seconds)),
    };
    let off = if rule.enabled == Some(false) { " It is switched off." } else { "" };
    format!("When {when}{patience}: {severity}. {over} {again}{off}")
}

fn condition(when: &When, scope: &Scope, names: &Names) -> String {
    let one = || subject("a connection", "any connection", scope, names);
    match when.kind {
        WhenKind::ConnectionHealth => format!("{} {}", one(), healths(&when.health, true)),
        WhenKind::ShareOfConnections => {
            let many = subject("connections", "connections", scope, names);
            format!("{} {} {}", at_least(when, "of the "), many, healths(&when.health, false))
        }
        WhenKind::SyncLate => {
            let old = match (when.cadences, when.seconds) {
                (Some(cadences), None) => format!("{cadences} of its cadences"),
                (None, Some(seconds)) => span(seconds),
                (Some(cadences), Some(seconds)) => format!("{cadences} of its cadences, or than {}", span(seconds)),
                (None, None) => "it should be".to_owned(),
            };
            format!("the last good sync of {} is older than {old}", one())
        }
        WhenKind::Silence => {
            let long = when.seconds.map_or_else(|| "too long".to_owned(), span);
            match when.of.unwrap_or(SilenceOf::Connection) {
                SilenceOf::Connection => format!("nothing has come of {} for {long}", one()),
                SilenceOf::Source => {
                    format!("no webhook has come of {} for {long}", subject("a source", "any source", scope, names))
                }
            }
        }
        WhenKind::FailedWebhooks => failed(when, scope, names),
        WhenKind::UpstreamUnwell => match scope.is_all() {
            true => "a platform or a source has an outage".to_owned(),
            false => {
                format!("{} has an outage", subject("a platform or a source", "any platform or source", scope, names))
            }
        },
        WhenKind::SelfUnwell => "Linewatch itself cannot see, forward or tell".to_owned(),
        WhenKind::CredentialAge => {
            let secret = subject("a secret", "any secret", scope, names);
            match (when.days, when.expires_in_days) {
                (Some(days), Some(ends)) => {
                    format!("{secret} is older than {} or ends within {}", count(days, "day"), count(ends, "day"))
                }
                (Some(days), None) => format!("{secret} is older than {}", count(days, "day")),
                (None, Some(ends)) => format!("{secret} ends within {}", count(ends, "day")),
                (None, None) => format!("{secret} is old"),
            }
        }
        WhenKind::Flapping => {
            let within = when.window_seconds.map_or_else(|| "a while".to_owned(), span);
            format!("{} turns bad {} within {within}", one(), count(when.transitions.unwrap_or(0), "time"))
        }
    }
}

fn failed(when: &When, scope: &Scope, names: &Names) -> String {
    let kinds: Vec<_> = failures(when).iter().map(|kind| kind.words().to_lowercase()).collect();
    let kinds = either(&kinds);
    let place =
        if scope.is_all() { String::new() } else { format!(" of {}", subject("a source", "any source", scope, names)) };
    if let Some(seconds) = when.older_than_seconds {
        return format!("something that failed ({kinds}){place} has not been mended for {}", span(seconds));
    }
    let within = when.window_seconds.map_or_else(|| "a while".to_owned(), span);
    let many = match (when.at_least, when.percent) {
        (Some(least), Some(percent)) => format!("at least {least} and {percent} % of all"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(percent)) => format!("at least {percent} % of all"),
        (None, None) => "some".to_owned(),
    };
    format!("{many} webhooks{place} fail ({kinds}) within {within}")
}

/// Which failures a condition counts.
pub fn failures(when: &When) -> Vec<FailureKind> {
    match when.failures.is_empty() {
        true => vec![FailureKind::Processing, FailureKind::Delivery],
        false => when.failures.clone(),
    }
}

fn at_least(when: &When, of: &str) -> String {
    match (when.at_least, when.percent) {
        (Some(least), Some(percent)) => format!("at least {least} and {percent} % {of}").trim_end().to_owned(),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(percent)) => format!("at least {percent} % {of}").trim_end().to_owned(),
        (None, None) => "some".to_owned(),
    }
}

fn healths(list: &[Health], one: bool) -> String {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    let verb = |health: &Health| match (health, one) {
        (Health::ReauthorizationRequired, _) => "must sign in again".to_owned(),
        (Health::FirstSync, true) => "is in its first sync".to_owned(),
        (Health::FirstSync, false) => "are in their first sync".to_owned(),
        (health, true) => format!("is {}", health.words().to_lowercase()),
        (health, false) => format!("are {}", health.words().to_lowercase()),
    };
    if list.is_empty() {
        return if one { "is in a state" } else { "are in a state" }.to_owned();
    }
    either(&list.iter().map(verb).collect::<Vec<_>>())
}

/// Whom a scope means, with what it is about before.
fn subject(thing: &str, any: &str, scope: &Scope, names: &Names) -> String {
    if scope.is_all() {
        return thing.to_owned();
    }
    let mut parts = Vec::new();
    let mut say = |before: &str, list: Vec<String>| {
        if !list.is_empty() {
            parts.push(format!("{before}{}", either(&list)));
        }
    };
    let known = |name: Option<&String>, id: String| name.cloned().unwrap_or(id);
    say("of ", scope.platforms.iter().map(|slug| known(names.platforms.get(slug), slug.clone())).collect());
    say("of ", scope.customers.iter().map(|id| known(names.customers.get(id), id.to_string())).collect());
    say("tagged ", scope.tags.clone());
    say("of tier ", scope.tiers.clone());
    say("owned by ", scope.owners.clone());
    say("through ", scope.sources.iter().map(|id| known(names.sources.get(id), id.to_string())).collect());
    say("", scope.environments.iter().map(|environment| environment_words(*environment)).collect());
    let listed = parts.join(", ");
    match (scope.except, parts.len()) {
        (true, _) => format!("{any} except those {listed}"),
        (false, 1) => format!("{thing} {listed}"),
        // what stands between two commas ends with one
        (false, _) => format!("{thing} {listed},"),
    }
}

fn environment_words(environment: Environment) -> String {
    environment.words().to_lowercase()
}

/// One or the other.
fn either(list: &[String]) -> String {
    match list {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

fn count(n: u32, of: &str) -> String {
    if n == 1 { format!("1 {of}") } else { format!("{n} {of}s") }
}

/// A time in the largest unit that it is made of.
pub fn span(seconds: i64) -> String {
    let (n, unit) = unit(seconds);
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

fn every(seconds: i64) -> String {
    match unit(seconds) {
        (1, unit) => unit.to_owned(),
        _ => span(seconds),
    }
}

fn unit(seconds: i64) -> (i64, &'static str) {
    for (length, unit) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] {
        if seconds >= length && seconds % length == 0 {
            return (seconds / length, unit);
        }
    }
    (seconds, "second")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{GroupBy, Severity};

    fn rule(when: When, scope: Scope) -> NewRule {
        NewRule {
            name: "x".to_owned(),
            when,
            scope,
            for_seconds: Some(900),
            hold_seconds: None,
            severity: Some(Severity::Critical),
            group_by: Some(GroupBy::Rule),
            repeat_seconds: None,
            note: None,
            enabled: None,
        }
    }

    fn names() -> Names {
        let named = |(slug, name): (&str, &str)| (slug.to_owned(), name.to_owned());
        Names { platforms: [("sap", "SAP"), ("netsuite", "NetSuite")].map(named).into(), ..Names::default() }
    }

    #[test]
    fn a_rule_reads_as_one_would_say_it() {
        let when = When {
            health: vec![Health::Offline, Health::ReauthorizationRequired],
            ..When::new(WhenKind::ConnectionHealth)
        };
        let scope = Scope {
            platforms: vec!["sap".to_owned(), "netsuite".to_owned()],
            environments: vec![Environment::Production],
            ..Scope::default()
        };
        assert_eq!(
            sentence(&rule(when.clone(), scope.clone()), &names()),
            "When a connection of SAP or NetSuite, production, must sign in again or is offline for 15 minutes: critical. \
             Over after 5 minutes. Told again every 4 hours."
        );
        let except = NewRule {
            for_seconds: Some(0),
            hold_seconds: Some(0),
            repeat_seconds: Some(0),
            enabled: Some(false),
            ..rule(when, Scope { except: true, ..scope })
        };
        assert_eq!(
            sentence(&except, &names()),
            "When any connection except those of SAP or NetSuite, production must sign in again or is offline: critical. \
             Over at once. Told once. It is switched off."
        );
    }

    #[test]
    fn every_kind_has_its_sentence() {
        for (when, said) in [
            (
                When {
                    at_least: Some(10),
                    percent: Some(30),
                    health: vec![Health::Offline],
                    ..When::new(WhenKind::ShareOfConnections)
                },
                "When at least 10 and 30 % of the connections are offline for 15 minutes: critical.",
            ),
            (
                When { cadences: Some(3.0), ..When::new(WhenKind::SyncLate) },
                "When the last good sync of a connection is older than 3 of its cadences for 15 minutes: critical.",
            ),
            (
                When { seconds: Some(7_200), of: Some(SilenceOf::Source), ..When::new(WhenKind::Silence) },
                "When no webhook has come of a source for 2 hours for 15 minutes: critical.",
            ),
            (
                When { at_least: Some(10), window_seconds: Some(900), ..When::new(WhenKind::FailedWebhooks) },
                "When at least 10 webhooks fail (processing or deliveries) within 15 minutes for 15 minutes: critical.",
            ),
            (
                When::new(WhenKind::UpstreamUnwell),
                "When a platform or a source has an outage for 15 minutes: critical.",
            ),
            (
                When { expires_in_days: Some(1), ..When::new(WhenKind::CredentialAge) },
                "When a secret ends within 1 day for 15 minutes: critical.",
            ),
            (
                When { transitions: Some(4), window_seconds: Some(3_600), ..When::new(WhenKind::Flapping) },
                "When a connection turns bad 4 times within 1 hour for 15 minutes: critical.",
            ),
        ] {
            let whole = sentence(&rule(when, Scope::default()), &names());
            assert!(whole.starts_with(said), "{whole}");
        }
        assert_eq!(
            (span(90), span(60), every(3_600)),
            ("90 seconds".to_owned(), "1 minute".to_owned(), "hour".to_owned())
        );
    }
}
