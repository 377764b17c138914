//! What was changed on a rule, in a sentence. Pure.

use crate::alert::sentence::span;
use model::NewRule;

/// What makes one out of the other; none when nothing does. Both have said all.
pub(super) fn between(was: &NewRule, is: &NewRule) -> Option<String> {
    let mut all = Vec::new();
    if was.name != is.name {
        all.push(format!("Renamed from “{}”", was.name));
    }
    if was.enabled != is.enabled {
        all.push(if is.enabled == Some(false) { "Switched off" } else { "Switched on" }.to_owned());
    }
    if was.when != is.when {
        all.push("Looks for something else".to_owned());
    }
    if was.scope != is.scope {
        all.push("Is for others".to_owned());
    }
    let time = |seconds: Option<i64>| {
        seconds.map_or_else(String::new, |seconds| if seconds == 0 { "none".to_owned() } else { span(seconds) })
    };
    for (what, before, after) in [
        ("Patience", was.for_seconds, is.for_seconds),
        ("Hold", was.hold_seconds, is.hold_seconds),
        ("Told again after", was.repeat_seconds, is.repeat_seconds),
    ] {
        if before != after {
            all.push(format!("{what}: {} → {}", time(before), time(after)));
        }
    }
    if let (true, Some(before), Some(after)) = (was.severity != is.severity, was.severity, is.severity) {
        all.push(format!("Severity: {} → {}", before.words().to_lowercase(), after.words().to_lowercase()));
    }
    if let (true, Some(before), Some(after)) = (was.group_by != is.group_by, was.group_by, is.group_by) {
        all.push(format!("Told together: {} → {}", before.words().to_lowercase(), after.words().to_lowercase()));
    }
    if was.note != is.note {
        all.push("Says something else on what to do".to_owned());
    }
    (!all.is_empty()).then(|| all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::normal;
    use model::{Severity, When, WhenKind};

    #[test]
    fn every_change_is_named_and_none_is_none() {
        let was = normal(NewRule {
            name: "Offline".to_owned(),
            when: When::new(WhenKind::UpstreamUnwell),
            scope: model::Scope::default(),
            for_seconds: Some(600),
            hold_seconds: None,
            severity: None,
            group_by: None,
            repeat_seconds: None,
            note: None,
            enabled: None,
        });
        assert_eq!(between(&was, &was), None);
        let is = NewRule {
            name: "Down".to_owned(),
            for_seconds: Some(900),
            repeat_seconds: Some(0),
            severity: Some(Severity::Critical),
            enabled: Some(false),
            ..was.clone()
        };
        assert_eq!(
            between(&was, &is).unwrap(),
            "Renamed from “Offline”; Switched off; Patience: 10 minutes → 15 minutes; Told again after: 4 hours → none; \
             Severity: warning → critical"
        );
    }
}
