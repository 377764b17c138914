//! What is known of a connection.

use super::{Pulse, Rhythm};
use chrono::{DateTime, Utc};
use model::{Authorization, Cause, ConnectionId, CustomerId, DataFlow, Eye, Health, SourceId};
use std::{fmt, str::FromStr, sync::Arc};

/// What evidence says about the flow of data, before lateness is weighed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Nothing was ever said.
    Unknown,
    /// The customer has not finished connecting.
    NotConnected,
    /// The first sync is under way.
    FirstSync,
    /// The last sync was good, or one is under way after a good one.
    Good,
    /// The last sync failed.
    Failing,
    /// The customer's system does not answer.
    Offline,
    /// Stopped upstream.
    Paused,
}

impl Flow {
    /// Every value.
    pub const ALL: [Self; 7] =
        [Self::Unknown, Self::NotConnected, Self::FirstSync, Self::Good, Self::Failing, Self::Offline, Self::Paused];

    /// The code in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotConnected => "not_connected",
            Self::FirstSync => "first_sync",
            Self::Good => "good",
            Self::Failing => "failing",
            Self::Offline => "offline",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Flow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|flow| flow.code() == text).ok_or_else(|| format!("“{text}” is not a flow"))
    }
}

/// One dimension of what is known: a value, and the evidence that last decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension<T> {
    /// What is known.
    pub value: T,
    /// The time that counts for the evidence; never moves backwards.
    pub at: DateTime<Utc>,
    /// Through which eye.
    pub eye: Eye,
    /// Why, where the evidence says it.
    pub cause: Option<Cause>,
}

/// What is known of a connection's condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Dimension 1.
    pub authorization: Dimension<Authorization>,
    /// Dimension 2, before lateness.
    pub flow: Dimension<Flow>,
    /// What upstream said about the cause.
    pub detail: Option<String>,
    /// Own time of the newest event applied, no later than our receipt.
    pub event_at: Option<DateTime<Utc>>,
    /// When data last arrived; never moves backwards.
    pub last_good_sync_at: Option<DateTime<Utc>>,
    /// Upstream's own cadence, in seconds.
    pub cadence_upstream: Option<i64>,
    /// What the good syncs so far teach about the next.
    pub rhythm: Rhythm,
    /// What the webhooks so far teach about the next.
    pub pulse: Pulse,
    /// Since when a sync has been seen under way; none when none is.
    pub busy_since: Option<DateTime<Utc>>,
}

impl Known {
    /// Of a connection never seen before.
    pub fn nothing(at: DateTime<Utc>) -> Self {
        Self {
            authorization: Dimension { value: Authorization::Unknown, at, eye: Eye::Poll, cause: None },
            flow: Dimension { value: Flow::Unknown, at, eye: Eye::Poll, cause: None },
            detail: None,
            event_at: None,
            last_good_sync_at: None,
            cadence_upstream: None,
            rhythm: Rhythm::default(),
            pulse: Pulse::default(),
            busy_since: None,
        }
    }
}

impl Known {
    /// Signed in, and nothing wrong with the flow: syncs and webhooks are to be expected.
    pub fn is_in_order(&self) -> bool {
        self.authorization.value == Authorization::Authorized && self.flow.value == Flow::Good
    }
}

/// What it takes to describe a connection beside its own row: read where a description comes, and spared where only its condition
/// is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Its customer's name.
    pub customer_name: String,
    /// Its platform's name.
    pub platform_name: String,
    /// Everything upstream last said.
    pub upstream: serde_json::Value,
}

/// A connection as `observe` needs it: what is known, what is shown, and what it takes to describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its id.
    pub id: ConnectionId,
    /// Its source.
    pub source_id: SourceId,
    /// Upstream's identifier.
    pub key: String,
    /// Upstream's name.
    pub name: String,
    /// The contact that upstream names.
    pub email: Option<String>,
    /// Its customer.
    pub customer_id: CustomerId,
    /// Its platform.
    pub platform_slug: String,
    /// Our tags.
    pub tags: Vec<String>,
    /// Upstream's status, letter for letter.
    pub raw_status: Option<String>,
    /// How upstream describes it; none where nobody asked for that, and then it stays as it is.
    pub described: Option<Arc<Described>>,
    /// Upstream's newest error, with the request id.
    pub upstream_error: Option<String>,
    /// What is known.
    pub known: Known,
    /// A cadence set by a person, in seconds.
    pub cadence_set: Option<i64>,
    /// The newest proof.
    pub proof: Option<(DateTime<Utc>, Eye)>,
    /// When evidence was last appended.
    pub recorded_at: Option<DateTime<Utc>>,
    /// What is shown of dimension 1.
    pub authorization: Authorization,
    /// What is shown of dimension 2.
    pub data_flow: DataFlow,
    /// The headline.
    pub health: Health,
    /// Why; none while healthy.
    pub cause: Option<Cause>,
    /// What upstream said about it.
    pub cause_detail: Option<String>,
    /// Since when the headline stands.
    pub since: DateTime<Utc>,
    /// When it last turned bad, newest last.
    pub flips: Vec<DateTime<Utc>>,
    /// When the clock alone may change it.
    pub judge_due_at: Option<DateTime<Utc>>,
    /// When it is to be looked at closer, and why.
    pub check_due_at: Option<DateTime<Utc>>,
    /// Why it is to be looked at.
    pub check_reason: Option<String>,
    /// Gone upstream since.
    pub removed_at: Option<DateTime<Utc>>,
    /// Missing from complete lists since.
    pub absent_since: Option<DateTime<Utc>>,
    /// 0 until it was first judged.
    pub version: i64,
}

impl State {
    /// What the search looks through; none of one that is not described.
    pub fn search_text(&self) -> Option<String> {
        let Described { customer_name, platform_name, .. } = self.described.as_deref()?;
        let mut text = format!("{customer_name} {platform_name} {} {}", self.name, self.key);
        for tag in &self.tags {
            text.push(' ');
            text.push_str(tag);
        }
        if let Some(error) = &self.upstream_error {
            text.push(' ');
            text.push_str(error);
        }
        Some(text.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flow_is_read_back_from_its_code() {
        for flow in Flow::ALL {
            assert_eq!(flow.to_string().parse(), Ok(flow));
        }
        assert!("well".parse::<Flow>().is_err());
    }
}
