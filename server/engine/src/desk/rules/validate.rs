//! Which rules may be saved. Every field that is wrong is named, with a sentence that helps. Pure.

use model::{FailureKind, FieldError, NewRule, Refusal, Scope, When, WhenKind};
use std::ops::RangeInclusive;

const DAY: i64 = 86_400;
const MONTH: i64 = 31 * DAY;
/// So many turns of a connection are remembered.
const TURNS: u32 = 8;

struct Errors(Vec<FieldError>);

impl Errors {
    fn check(&mut self, field: &str, holds: bool, message: &str) {
        if !holds {
            self.0.push(FieldError::new(field, message));
        }
    }

    fn range<T: PartialOrd>(&mut self, field: &str, value: Option<T>, allowed: RangeInclusive<T>, message: &str) {
        self.check(field, value.is_none_or(|value| allowed.contains(&value)), message);
    }
}

/// A rule that may be saved: it has a name.
pub(super) fn rule(rule: NewRule) -> Result<NewRule, Refusal> {
    let mut errors = Errors(Vec::new());
    let name = rule.name.trim();
    errors.check("name", !name.is_empty(), "give it a name: it is the first thing that people read in a message");
    errors.check(
        "name",
        name.chars().count() <= 100 && !name.contains(char::is_control),
        "at most 100 characters, on one line",
    );
    done(rule, errors)
}

/// A rule that may be tried out, before it has a name.
pub(super) fn tried(rule: NewRule) -> Result<NewRule, Refusal> {
    done(rule, Errors(Vec::new()))
}

/// Refuses ids that nobody knows: the field, what it lists, and which.
pub(super) fn unknown<const N: usize>(lists: [(&str, &str, String); N]) -> Result<(), Refusal> {
    let wrong = lists.into_iter().filter(|(_, _, which)| !which.is_empty());
    let errors: Vec<_> =
        wrong.map(|(field, what, which)| FieldError::new(field, format!("there is no {what} {which}"))).collect();
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(errors)) }
}

fn done(mut rule: NewRule, mut errors: Errors) -> Result<NewRule, Refusal> {
    rule.name = rule.name.trim().to_owned();
    rule.note = rule.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    rule.scope = tidy(rule.scope);
    when(&mut errors, &rule.when);
    scope(&mut errors, &rule.scope);
    errors.range("for_seconds", rule.for_seconds, 0..=30 * DAY, "between 0 seconds (at once) and 30 days");
    errors.range("hold_seconds", rule.hold_seconds, 0..=DAY, "between 0 seconds and one day");
    errors.check(
        "repeat_seconds",
        rule.repeat_seconds.is_none_or(|seconds| seconds == 0 || (300..=30 * DAY).contains(&seconds)),
        "0 for never, else between 5 minutes and 30 days",
    );
    let note = rule.note.as_deref().unwrap_or_default();
    errors.check("note", note.chars().count() <= 2_000 && !note.contains('\0'), "at most 2,000 characters");
    if errors.0.is_empty() { Ok(rule) } else { Err(Refusal::Invalid(errors.0)) }
}

fn tidy(mut scope: Scope) -> Scope {
    let trimmed = |list: &[String]| -> Vec<String> {
        list.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    };
    scope.tags = trimmed(&scope.tags).iter().map(|tag| tag.to_lowercase()).collect();
    scope.tiers = trimmed(&scope.tiers);
    scope.owners = trimmed(&scope.owners);
    scope.platforms = trimmed(&scope.platforms);
    // all except nobody are all
    scope.except &= !scope.is_all();
    scope
}

fn scope(errors: &mut Errors, scope: &Scope) {
    let texts = [
        ("scope.tags", &scope.tags),
        ("scope.tiers", &scope.tiers),
        ("scope.owners", &scope.owners),
        ("scope.platforms", &scope.platforms),
    ];
    for (field, list) in texts {
        errors.check(field, list.len() <= 200, "at most 200 of them");
        let fits = |text: &String| text.chars().count() <= 200 && !text.contains('\0');
        errors.check(field, list.iter().all(fits), "at most 200 characters each");
    }
    errors.check(
        "scope.customers",
        scope.customers.len() <= 200,
        "at most 200 of them; a tag or a tier names many at once",
    );
    errors.check("scope.sources", scope.sources.len() <= 200, "at most 200 of them");
}

fn when(errors: &mut Errors, when: &When) {
    needless(errors, when);
    let some_or_share = when.at_least.is_some() || when.percent.is_some();
    errors.range("when.at_least", when.at_least, 1..=1_000_000, "between 1 and 1,000,000");
    errors.range("when.percent", when.percent, 1..=100, "between 1 and 100 percent");
    match when.kind {
        WhenKind::ConnectionHealth => {
            errors.check("when.health", !when.health.is_empty(), "choose at least one state, such as offline");
        }
        WhenKind::ShareOfConnections => {
            errors.check("when.health", !when.health.is_empty(), "choose at least one state, such as offline");
            errors.check("when.at_least", some_or_share, "say how many, or how much of all in “percent”");
        }
        WhenKind::SyncLate => {
            let said = when.cadences.is_some() || when.seconds.is_some();
            errors.check("when.cadences", said, "say after how many cadences, or after how long in “seconds”");
            errors.range("when.cadences", when.cadences, 1.0..=1_000.0, "between 1 and 1,000 cadences");
            errors.range("when.seconds", when.seconds, 60..=MONTH, "between one minute and 31 days");
        }
        WhenKind::Silence => {
            errors.check("when.of", when.of.is_some(), "say whose silence: connection or source");
            errors.check("when.seconds", when.seconds.is_some(), "say for how long nothing may come");
            errors.range("when.seconds", when.seconds, 60..=MONTH, "between one minute and 31 days");
        }
        WhenKind::FailedWebhooks => failed(errors, when, some_or_share),
        WhenKind::UpstreamUnwell | WhenKind::SelfUnwell => {}
        WhenKind::CredentialAge => {
            let said = when.days.is_some() || when.expires_in_days.is_some();
            errors.check("when.days", said, "say how old it may become, or how soon it ends in “expires_in_days”");
            errors.range("when.days", when.days, 1..=3_650, "between 1 and 3,650 days");
            errors.range("when.expires_in_days", when.expires_in_days, 0..=365, "between 0 and 365 days");
        }
        WhenKind::Flapping => {
            errors.check("when.transitions", when.transitions.is_some(), "say how often it must turn bad");
            errors.range(
                "when.transitions",
                when.transitions,
                2..=TURNS,
                "between 2 and 8 times: so many are remembered",
            );
            errors.check("when.window_seconds", when.window_seconds.is_some(), "say within how long");
            errors.range("when.window_seconds", when.window_seconds, 60..=DAY, "between one minute and one day");
        }
    }
}

fn failed(errors: &mut Errors, when: &When, some_or_share: bool) {
    let older = when.older_than_seconds.is_some();
    errors.check(
        "when.at_least",
        older || some_or_share,
        "say how many, how much of all in “percent”, or since how long in “older_than_seconds”",
    );
    errors.check("when.window_seconds", older || when.window_seconds.is_some(), "say within how long they are counted");
    errors.check(
        "when.window_seconds",
        !older || when.window_seconds.is_none(),
        "not together with “older_than_seconds”",
    );
    errors.check("when.percent", !older || when.percent.is_none(), "not together with “older_than_seconds”");
    errors.range("when.window_seconds", when.window_seconds, 60..=7 * DAY, "between one minute and 7 days");
    errors.range("when.older_than_seconds", when.older_than_seconds, 60..=MONTH, "between one minute and 31 days");
    let turned_away = older && when.failures.contains(&FailureKind::Rejection);
    errors.check(
        "when.failures",
        !turned_away,
        "what was turned away does not wait to be mended; count it within a window instead",
    );
    errors.check(
        "when.failures",
        !when.failures.contains(&FailureKind::Notification),
        "a message to people is no webhook; that a channel fails is told by the rule about Linewatch itself",
    );
}

/// What a kind does not look at would only mislead who reads the rule.
fn needless(errors: &mut Errors, when: &When) {
    use WhenKind::{ConnectionHealth, CredentialAge, FailedWebhooks, Flapping, ShareOfConnections, Silence, SyncLate};
    let fields: [(&str, bool, &[WhenKind]); 12] = [
        ("when.health", !when.health.is_empty(), &[ConnectionHealth, ShareOfConnections]),
        ("when.at_least", when.at_least.is_some(), &[ShareOfConnections, FailedWebhooks]),
        ("when.percent", when.percent.is_some(), &[ShareOfConnections, FailedWebhooks]),
        ("when.cadences", when.cadences.is_some(), &[SyncLate]),
        ("when.seconds", when.seconds.is_some(), &[SyncLate, Silence]),
        ("when.of", when.of.is_some(), &[Silence]),
        ("when.failures", !when.failures.is_empty(), &[FailedWebhooks]),
        ("when.older_than_seconds", when.older_than_seconds.is_some(), &[FailedWebhooks]),
        ("when.window_seconds", when.window_seconds.is_some(), &[FailedWebhooks, Flapping]),
        ("when.days", when.days.is_some(), &[CredentialAge]),
        ("when.expires_in_days", when.expires_in_days.is_some(), &[CredentialAge]),
        ("when.transitions", when.transitions.is_some(), &[Flapping]),
    ];
    for (field, said, kinds) in fields {
        let message = format!("this is not for the kind “{}”; leave it out", when.kind);
        errors.check(field, !said || kinds.contains(&when.kind), &message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::normal;
    use model::{Health, SilenceOf};

    fn new(when: When) -> NewRule {
        let (name, scope) = ("A rule".to_owned(), Scope::default());
        normal(NewRule {
            name,
            when,
            scope,
            for_seconds: None,
            hold_seconds: None,
            severity: None,
            group_by: None,
            repeat_seconds: None,
            note: None,
            enabled: None,
        })
    }

    fn wrong(rule: NewRule) -> Vec<String> {
        match super::rule(rule) {
            Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
            other => panic!("must be refused: {other:?}"),
        }
    }

    #[test]
    fn every_kind_says_what_it_misses() {
        for (kind, fields) in [
            (WhenKind::ConnectionHealth, vec!["when.health"]),
            (WhenKind::ShareOfConnections, vec!["when.health", "when.at_least"]),
            (WhenKind::SyncLate, vec!["when.cadences"]),
            (WhenKind::Silence, vec!["when.of", "when.seconds"]),
            (WhenKind::FailedWebhooks, vec!["when.at_least", "when.window_seconds"]),
            (WhenKind::CredentialAge, vec!["when.days"]),
            (WhenKind::Flapping, vec!["when.transitions", "when.window_seconds"]),
        ] {
            assert_eq!(wrong(new(When::new(kind))), fields, "{kind}");
        }
        for kind in [WhenKind::UpstreamUnwell, WhenKind::SelfUnwell] {
            assert!(super::rule(new(When::new(kind))).is_ok(), "{kind}");
        }
    }

    #[test]
    fn what_is_out_of_range_or_out_of_place_is_named() {
        let when = When {
            seconds: Some(5),
            of: Some(SilenceOf::Source),
            health: vec![Health::Late],
            ..When::new(WhenKind::Silence)
        };
        let rule = NewRule {
            name: " ".to_owned(),
            for_seconds: Some(-1),
            hold_seconds: Some(DAY + 1),
            repeat_seconds: Some(10),
            note: Some("x".repeat(2_001)),
            ..new(when)
        };
        assert_eq!(
            wrong(rule),
            ["name", "when.health", "when.seconds", "for_seconds", "hold_seconds", "repeat_seconds", "note"]
        );
    }

    #[test]
    fn what_people_type_is_tidied() {
        let scope = Scope { tags: vec![" Gold ".to_owned(), " ".to_owned()], ..Scope::default() };
        let rule =
            super::rule(NewRule { scope, note: Some(" ".to_owned()), ..new(When::new(WhenKind::SelfUnwell)) }).unwrap();
        assert_eq!((rule.scope.tags, rule.note), (vec!["gold".to_owned()], None));
        let except = Scope { except: true, ..Scope::default() };
        assert!(!super::tried(NewRule { scope: except, ..new(When::new(WhenKind::SelfUnwell)) }).unwrap().scope.except);
    }
}
