//! Rules as they are evaluated.

use super::condition::Healths;
use super::machine::Timer;
use model::{GroupBy, NewRule, RuleId, Scope, Severity, When, WhenKind};
use std::collections::HashMap;

/// A rule that has said all, with what is asked of it most made ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// Which.
    pub id: RuleId,
    /// Grows with every change.
    pub version: i64,
    /// It is evaluated: neither switched off nor taken away.
    pub active: bool,
    /// All its subjects were looked at since it was last changed.
    pub settled: bool,
    /// When.
    pub when: When,
    /// For whom.
    pub scope: Scope,
    /// Patience and hold.
    pub timer: Timer,
    /// The healths that it waits for.
    pub healths: Healths,
}

impl Compiled {
    /// A rule made ready.
    pub fn new(id: RuleId, version: i64, when: When, scope: Scope, timer: Timer) -> Self {
        let healths = Healths::of(&when.health);
        Self { id, version, active: true, settled: false, when, scope, timer, healths }
    }

    /// Whether it follows the health of single connections, and is looked at when one turns.
    pub fn is_touched(&self) -> bool {
        self.when.kind == WhenKind::ConnectionHealth
    }

    /// Whether it is worth a look at once when something changed, and not only now and then.
    pub fn is_prompt(&self) -> bool {
        matches!(self.when.kind, WhenKind::ShareOfConnections | WhenKind::UpstreamUnwell | WhenKind::SelfUnwell)
    }
}

/// Every rule at one moment.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Tells one state of all rules from another.
    pub fingerprint: (i64, i64),
    /// By id.
    pub all: HashMap<RuleId, Compiled>,
}

/// A rule as a person wrote it, with what they left out.
pub fn normal(mut new: NewRule) -> NewRule {
    new.for_seconds = Some(new.for_seconds.unwrap_or(0));
    new.hold_seconds = Some(new.hold_seconds.unwrap_or(300));
    new.severity = Some(new.severity.unwrap_or(Severity::Warning));
    new.group_by = Some(new.group_by.unwrap_or(GroupBy::Rule));
    new.repeat_seconds = Some(new.repeat_seconds.unwrap_or(4 * 3_600));
    new.enabled = Some(new.enabled.unwrap_or(true));
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_usual_and_what_is_said_stays() {
        let bare = NewRule {
            name: "x".to_owned(),
            when: When::new(WhenKind::UpstreamUnwell),
            scope: Scope::default(),
            for_seconds: None,
            hold_seconds: None,
            severity: None,
            group_by: None,
            repeat_seconds: None,
            note: None,
            enabled: None,
        };
        let usual = normal(bare.clone());
        assert_eq!((usual.for_seconds, usual.hold_seconds, usual.repeat_seconds), (Some(0), Some(300), Some(14_400)));
        assert_eq!((usual.severity, usual.enabled), (Some(Severity::Warning), Some(true)));
        let own = NewRule { hold_seconds: Some(1), repeat_seconds: Some(0), enabled: Some(false), ..bare };
        let own = normal(own);
        assert_eq!((own.hold_seconds, own.repeat_seconds, own.enabled), (Some(1), Some(0), Some(false)));
    }

    #[test]
    fn a_rule_is_looked_at_when_one_turns_or_at_once_or_now_and_then() {
        use WhenKind as W;
        for (kind, touched, prompt) in [
            (W::ConnectionHealth, true, false),
            (W::ShareOfConnections, false, true),
            (W::UpstreamUnwell, false, true),
            (W::SelfUnwell, false, true),
            (W::SyncLate, false, false),
            (W::Silence, false, false),
            (W::FailedWebhooks, false, false),
            (W::CredentialAge, false, false),
            (W::Flapping, false, false),
        ] {
            let id = RuleId(uuid::Uuid::nil());
            let rule = Compiled::new(id, 0, When::new(kind), Scope::default(), Timer::new(0, 0));
            assert_eq!((rule.is_touched(), rule.is_prompt()), (touched, prompt), "{kind}");
        }
    }
}
