//! The rules that come with Linewatch: on from the start, and left alone once somebody has changed or removed one.

use super::rule::normal;
use super::sentence::{Names, sentence};
use crate::clock::new_id;
use crate::store::rule;
use chrono::{DateTime, Utc};
use model::{GroupBy, Health, NewRule, RuleChange, RuleId, Scope, Severity, When, WhenKind};
use sqlx::{PgConnection, Result};

/// Who made them.
const MAKER: &str = "Linewatch";

/// One, with its name for ever.
struct Shipped {
    key: &'static str,
    name: &'static str,
    when: When,
    patience: i64,
    hold: i64,
    severity: Severity,
    group_by: GroupBy,
    repeat: i64,
    note: &'static str,
}

fn health(list: &[Health]) -> When {
    When { health: list.to_vec(), ..When::new(WhenKind::ConnectionHealth) }
}

fn all() -> Vec<Shipped> {
    const HOUR: i64 = 3_600;
    vec![
        Shipped {
            key: "must_sign_in",
            name: "A customer must sign in again",
            when: health(&[Health::ReauthorizationRequired]),
            patience: 0,
            hold: 300,
            severity: Severity::Critical,
            group_by: GroupBy::Customer,
            repeat: 24 * HOUR,
            note: "Send the customer a reconnect link; nothing else brings the data back.",
        },
        Shipped {
            key: "offline",
            name: "A customer’s system is offline",
            when: health(&[Health::Offline]),
            patience: 600,
            hold: 600,
            severity: Severity::Critical,
            group_by: GroupBy::Platform,
            repeat: 4 * HOUR,
            note: "Ask the customer whether their system is down for work; it comes back by itself when it answers.",
        },
        Shipped {
            key: "sync_failing",
            name: "Syncs fail",
            when: health(&[Health::Failing]),
            patience: 900,
            hold: 600,
            severity: Severity::Warning,
            group_by: GroupBy::Platform,
            repeat: 12 * HOUR,
            note: "Read what the platform answered on the connection’s page; start a sync when it is mended.",
        },
        Shipped {
            key: "late",
            name: "Data is late",
            when: health(&[Health::Late]),
            patience: 1_800,
            hold: 600,
            severity: Severity::Warning,
            group_by: GroupBy::Platform,
            repeat: 24 * HOUR,
            note: "Nothing failed, but no data came for longer than this connection’s rhythm allows. Start a sync and see.",
        },
        Shipped {
            key: "upstream",
            name: "Many fail together",
            when: When::new(WhenKind::UpstreamUnwell),
            patience: 0,
            hold: 0,
            severity: Severity::Critical,
            group_by: GroupBy::Subject,
            repeat: 4 * HOUR,
            note: "One cause above many: the connections below it are not told one by one while it lasts.",
        },
        Shipped {
            key: "ourselves",
            name: "Linewatch itself is unwell",
            when: When::new(WhenKind::SelfUnwell),
            patience: 120,
            hold: 300,
            severity: Severity::Critical,
            group_by: GroupBy::Rule,
            repeat: 4 * HOUR,
            note: "Until this is mended Linewatch may not see, or not tell, what breaks. See the page System.",
        },
    ]
}

fn written(shipped: &Shipped) -> NewRule {
    normal(NewRule {
        name: shipped.name.to_owned(),
        when: shipped.when.clone(),
        scope: Scope::default(),
        for_seconds: Some(shipped.patience),
        hold_seconds: Some(shipped.hold),
        severity: Some(shipped.severity),
        group_by: Some(shipped.group_by),
        repeat_seconds: Some(shipped.repeat),
        note: Some(shipped.note.to_owned()),
        enabled: Some(true),
    })
}

/// Adds those that were never there. What somebody changed or removed stays so.
///
/// # Errors
/// When the database fails.
pub async fn ensure(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    for shipped in all() {
        let (id, new) = (RuleId(new_id()), written(&shipped));
        if rule::insert(conn, id, &new, Some(shipped.key), MAKER, now).await? {
            let change = RuleChange {
                at: now,
                by: MAKER.to_owned(),
                text: "Came with Linewatch".to_owned(),
                sentence: sentence(&new, &Names::default()),
                version: 1,
            };
            rule::note(conn, id, &change).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_comes_with_linewatch_watches_each_trouble_of_a_connection_once() {
        let rules = all();
        let mut watched: Vec<Health> = rules.iter().flat_map(|rule| rule.when.health.clone()).collect();
        watched.sort_unstable();
        assert_eq!(watched, [Health::ReauthorizationRequired, Health::Offline, Health::Failing, Health::Late]);
        let keys: BTreeSet<_> = rules.iter().map(|rule| rule.key).collect();
        assert_eq!(keys.len(), rules.len(), "a key is for ever");
    }
}
