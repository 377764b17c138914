//! What a preview cannot know, each in a sentence. Pure.

use super::rule::Compiled;
use super::sentence::failures;
use crate::health::lull;
use model::{FailureKind, SilenceOf, When, WhenKind};

/// What of the past is not kept that this rule would need; none: nothing.
pub(super) fn of(rule: &Compiled) -> Option<String> {
    let when = &rule.when;
    let mut all: Vec<&str> = Vec::new();
    match when.kind {
        WhenKind::ConnectionHealth | WhenKind::ShareOfConnections | WhenKind::UpstreamUnwell | WhenKind::Flapping => {}
        WhenKind::SyncLate | WhenKind::Silence if when.of != Some(SilenceOf::Source) => {
            if is_short(when) {
                all.push("Pauses that reached neither 4 hours nor one and a half cadences are not kept.");
            }
        }
        WhenKind::SyncLate | WhenKind::Silence => {
            if when.seconds.is_some_and(|seconds| seconds < 3_600) {
                all.push("Pauses within one hour of the clock are not kept.");
            }
        }
        WhenKind::FailedWebhooks => {
            if when.older_than_seconds.is_none() && failures(when).contains(&FailureKind::Rejection) {
                all.push("Requests turned away are kept as counts, and count here from the last of each hour.");
            }
            if when.percent.is_some() {
                all.push("How many webhooks came is kept by the hour, so shares are not exact to the minute.");
            }
        }
        WhenKind::SelfUnwell => all.push(
            "Of the past only times are kept in which sources could not be polled; everything else is what is so now.",
        ),
        WhenKind::CredentialAge => all.push("Secrets that were replaced or taken away are not kept."),
    }
    let of_connections = match when.kind {
        WhenKind::ConnectionHealth | WhenKind::ShareOfConnections | WhenKind::SyncLate | WhenKind::Flapping => true,
        WhenKind::Silence => when.of != Some(SilenceOf::Source),
        _ => false,
    };
    if of_connections && !rule.scope.is_all() {
        all.push("Customers, tags, tiers and owners are taken as they are now.");
    }
    (!all.is_empty()).then(|| all.join(" "))
}

/// Whether a rule asks for pauses that are too short to be kept.
fn is_short(when: &When) -> bool {
    when.cadences.is_some_and(|cadences| cadences < lull::CADENCES)
        || when.seconds.is_some_and(|seconds| seconds < lull::LONG.num_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::machine::Timer;
    use model::{RuleId, Scope};
    use uuid::Uuid;

    #[test]
    fn it_says_what_is_missing_and_nothing_else() {
        let of =
            |when: When, scope: Scope| super::of(&Compiled::new(RuleId(Uuid::nil()), 0, when, scope, Timer::new(0, 0)));
        let late = |cadences, seconds| When { cadences, seconds, ..When::new(WhenKind::SyncLate) };
        assert_eq!(of(late(Some(2.0), Some(14_400)), Scope::default()), None);
        assert!(of(late(Some(1.2), None), Scope::default()).is_some_and(|text| text.contains("one and a half")));
        let gold = Scope { tags: vec!["gold".to_owned()], ..Scope::default() };
        assert!(of(late(Some(1.0), None), gold).is_some_and(|text| text.ends_with("as they are now.")));
        let says = |when, words: &str| of(when, Scope::default()).is_some_and(|text| text.contains(words));
        assert!(
            says(late(None, Some(14_399)), "one and a half") && of(late(Some(1.5), None), Scope::default()).is_none()
        );
        let silent = |of, seconds| When { of: Some(of), seconds: Some(seconds), ..When::new(WhenKind::Silence) };
        assert!(says(silent(SilenceOf::Connection, 7_200), "one and a half"));
        assert!(says(silent(SilenceOf::Source, 3_599), "within one hour"));
        assert_eq!(of(silent(SilenceOf::Source, 3_600), Scope::default()), None);
        let gold = Scope { tags: vec!["gold".to_owned()], ..Scope::default() };
        assert_eq!(of(silent(SilenceOf::Source, 3_600), gold.clone()), None, "a source has no tags");
        assert!(of(silent(SilenceOf::Connection, 14_400), gold).is_some());
        let failed = |failures: &[FailureKind], percent, older_than_seconds| When {
            failures: failures.to_vec(),
            percent,
            older_than_seconds,
            ..When::new(WhenKind::FailedWebhooks)
        };
        assert!(says(failed(&[FailureKind::Rejection], None, None), "turned away"));
        assert!(says(failed(&[FailureKind::Delivery], Some(5), None), "shares are not exact"));
        assert_eq!(of(failed(&[FailureKind::Rejection], None, Some(60)), Scope::default()), None);
        assert_eq!(of(failed(&[FailureKind::Delivery], None, None), Scope::default()), None);
        assert!(says(When::new(WhenKind::SelfUnwell), "could not be polled"));
        assert_eq!(of(When::new(WhenKind::Flapping), Scope::default()), None);
        assert!(of(When::new(WhenKind::CredentialAge), Scope::default()).is_some());
    }
}
