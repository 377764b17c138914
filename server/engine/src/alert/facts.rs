//! What rules are evaluated on.

use super::machine::Course;
use super::scope::Of;
use chrono::{DateTime, Utc};
use model::{AlertId, Cause, ConnectionId, Health, RuleId, Subject, SubjectKind};

/// A connection as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Which.
    pub id: ConnectionId,
    /// Its customer's name and its platform's.
    pub name: String,
    /// What scopes look at.
    pub of: Of,
    /// Its health; none when it is gone upstream.
    pub health: Option<Health>,
    /// Since when that stands.
    pub since: DateTime<Utc>,
    /// Why.
    pub cause: Option<Cause>,
    /// What upstream says of it.
    pub detail: Option<String>,
    /// Its source cannot be seen right now.
    pub blind: bool,
    /// An outage stands for what happened to it since then.
    pub covered_since: Option<DateTime<Utc>>,
}

impl Facts {
    /// It as the subject of an alert.
    pub fn subject(&self) -> Subject {
        Subject { kind: SubjectKind::Connection, id: self.id.to_string(), name: self.name.clone() }
    }

    /// What is so, in a sentence.
    pub fn summary(&self) -> String {
        let Some(health) = self.health else { return "Gone from Makini".to_owned() };
        match (self.cause, &self.detail) {
            (_, Some(detail)) => format!("{}: {detail}", health.words()),
            (Some(cause), None) => format!("{}: {}", health.words(), cause.words()),
            (None, None) => health.words().to_owned(),
        }
    }
}

/// A connection that changed in a way that rules may care for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Which.
    pub connection: ConnectionId,
    /// When.
    pub at: DateTime<Utc>,
    /// Its health from then on; none when it is gone upstream.
    pub health: Option<Health>,
}

/// A subject for which the condition of a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// For whom.
    pub subject: Subject,
    /// What is so, in a sentence.
    pub summary: String,
    /// Since when; none: since we looked.
    pub since: Option<DateTime<Utc>>,
    /// It may go on, but starts nothing: its source cannot be seen.
    pub blind: bool,
    /// An outage stands for what happened to it since then.
    pub covered_since: Option<DateTime<Utc>>,
}

/// An alert that is not over, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub id: AlertId,
    /// Of which rule.
    pub rule: RuleId,
    /// About whom.
    pub subject: Subject,
    /// What is so.
    pub summary: String,
    /// Where it stands.
    pub course: Course,
    /// Its version.
    pub version: i64,
}

/// Connections in scope, and how many of them are in the healths that were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// So many are.
    pub hit: u64,
    /// Of so many.
    pub total: u64,
}
