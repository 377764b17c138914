//! Linewatch itself.

use super::{failing_source, now};
use chrono::TimeDelta;
use model::{Concern, ConcernCode, Replica, Severity};
use uuid::Uuid;

/// A process that said something so many seconds ago.
pub fn replica(name: &str, role: &str, seen: i64) -> Replica {
    Replica {
        id: Uuid::nil(),
        name: name.to_owned(),
        role: role.to_owned(),
        version: "0.1.0".to_owned(),
        started_at: now() - TimeDelta::hours(5),
        seen_at: now() - TimeDelta::seconds(seen),
    }
}

/// One of each severity.
pub fn concerns() -> Vec<Concern> {
    let one = |code, severity, title: &str, detail: &str| Concern {
        code,
        severity,
        title: title.to_owned(),
        detail: detail.to_owned(),
        since: None,
        source: None,
        channel: None,
        endpoint: None,
    };
    vec![
        Concern {
            since: Some(now() - TimeDelta::minutes(33)),
            source: Some(failing_source().id),
            ..one(
                ConcernCode::SourceUnseen,
                Severity::Critical,
                "Linewatch cannot poll “trial”",
                "The request timed out. It is no fault of the customers.",
            )
        },
        one(
            ConcernCode::Backlog,
            Severity::Warning,
            "Received webhooks wait to be processed",
            "They are safely stored, but what they say is not shown yet.",
        ),
    ]
}
