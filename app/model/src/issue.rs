//! Issues: problems as things that people take, wait for and end. Outages: one issue above many.

use crate::words::words;
use crate::{
    BulkId, BulkKind, CauseView, ConnectionId, CustomerRef, FieldError, Health, IssueId, OutageId, PlatformRef, Refusal,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// Where an issue stands.
    IssueState {
        /// Nobody has taken it.
        Open = "open", "Open";
        /// Somebody has.
        Acknowledged = "acknowledged", "Acknowledged";
        /// The customer must act; nobody has to remember it.
        WaitingOnCustomer = "waiting_on_customer", "Waiting on customer";
        /// Asleep until a time.
        Snoozed = "snoozed", "Snoozed";
        /// Part of an outage, which stands for it.
        Folded = "folded", "Part of an outage";
        /// Over.
        Resolved = "resolved", "Resolved";
    }
}

impl IssueState {
    /// Whether somebody still has to do something, now or later.
    pub fn is_live(self) -> bool {
        self != Self::Resolved
    }
}

/// A connection as an issue or a failure names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ConnectionRef {
    /// Its id.
    pub id: ConnectionId,
    /// Upstream's name for it.
    pub name: String,
}

/// A problem: one per connection and cause, or an outage. It reopens and counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Issue {
    /// Its id.
    pub id: IssueId,
    /// Its number, for people: #12.
    pub number: i64,
    /// The connection; null for an outage.
    pub connection: Option<ConnectionRef>,
    /// Whose connection it is; null for an outage.
    pub customer: Option<CustomerRef>,
    /// The system behind it; null for an outage of a source or of the poller.
    pub platform: Option<PlatformRef>,
    /// How the connection is now; null for an outage, and when it is gone upstream.
    pub health: Option<Health>,
    /// The outage that it is, or that it is folded into.
    pub outage_id: Option<OutageId>,
    /// Why.
    pub cause: CauseView,
    /// Where it stands.
    pub state: IssueState,
    /// Who has it.
    pub assignee: Option<String>,
    /// When it was last opened.
    pub opened_at: DateTime<Utc>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When it wakes.
    pub snooze_until: Option<DateTime<Utc>>,
    /// How often it was opened within 30 days before this time: 3 means that this is the fourth time.
    pub recurrences: i64,
    /// Grows with every change.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

words! {
    /// What happened to an issue.
    IssueEntryKind {
        /// It was opened for the first time.
        Opened = "opened", "Opened";
        /// It came again.
        Reopened = "reopened", "Came again";
        /// Somebody took it.
        Acknowledged = "acknowledged", "Acknowledged";
        /// It was given to somebody, or taken from them.
        Assigned = "assigned", "Assigned";
        /// Somebody wrote something down.
        Note = "note", "Note";
        /// It waits for the customer.
        Waiting = "waiting", "Waiting on customer";
        /// It sleeps.
        Snoozed = "snoozed", "Snoozed";
        /// It is open again: the snooze ended, or a person said so.
        Open = "open", "Open again";
        /// It became part of an outage.
        Folded = "folded", "Part of an outage";
        /// It is over.
        Resolved = "resolved", "Resolved";
    }
}

/// One line of an issue's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct IssueEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: IssueEntryKind,
    /// Who; null when Linewatch did it by itself.
    pub by: Option<String>,
    /// In words: the note, to whom, until when, by which proof.
    pub text: String,
}

/// What may be changed on an issue. Absent: unchanged; null: taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IssuePatch {
    /// `open`, `acknowledged`, `waiting_on_customer`, `snoozed` or `resolved`; nobody folds by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<IssueState>,
    /// Who has it.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"\S"))]
    pub assignee: Option<Option<String>>,
    /// When it wakes; needed with, and only with, `snoozed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snooze_until: Option<DateTime<Utc>>,
    /// The version that was looked at; when the issue has changed since, nothing is changed. But who resolves wins over who
    /// acknowledged meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// One of several issues, as it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueSeen {
    /// Which.
    pub id: IssueId,
    /// The version that was looked at; when the issue has changed since, it is left.
    pub version: Option<i64>,
}

/// Something to do with several issues at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewIssueChanges {
    /// `acknowledge` or `assign`.
    pub kind: BulkKind,
    /// With which: at most 200.
    pub issues: Vec<IssueSeen>,
    /// With `assign`: to whom; none takes them from whoever has them.
    pub assignee: Option<String>,
}

/// What came of changing several issues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueChanges {
    /// What takes it back; none if nothing was changed.
    pub bulk: Option<BulkId>,
    /// How many were changed.
    pub changed: u64,
    /// Why others were not.
    pub refused: Vec<String>,
}

/// A note on an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// What to write down: 1 to 4,000 characters.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 4_000, pattern = r"\S"))]
    pub text: String,
}

/// A question about issues. The same names in the API and in the URL of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueQuery {
    /// In any of these states; empty: all.
    pub state: Vec<IssueState>,
    /// With any of these people; `me` is who asks.
    pub assignee: Vec<String>,
    /// Of any of these connections.
    pub connection: Vec<ConnectionId>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl IssueQuery {
    /// Reads a query string. Empty values are none; an unknown name or a wrong value is refused with a sentence.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            if let Err(message) = read.take(&name, value) {
                errors.push(FieldError { field: name.into_owned(), message });
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        crate::page::no_nul(value)?;
        match name {
            "state" => self.state.push(value.parse()?),
            "assignee" => self.assignee.push(value.to_owned()),
            "connection" => {
                self.connection.push(value.parse().map_err(|_| format!("“{value}” is not the id of a connection"))?);
            }
            "cursor" => self.cursor = Some(value.to_owned()),
            "limit" => self.limit = Some(crate::page::read_limit(value)?),
            _ => return Err("this filter is not known".to_owned()),
        }
        Ok(())
    }

    /// Writes it as a query string without `?`; defaults are left out.
    pub fn to_query(&self) -> String {
        let mut to = form_urlencoded::Serializer::new(String::new());
        for state in &self.state {
            to.append_pair("state", state.code());
        }
        for assignee in &self.assignee {
            to.append_pair("assignee", assignee);
        }
        for connection in &self.connection {
            to.append_pair("connection", &connection.to_string());
        }
        if let Some(limit) = self.limit {
            to.append_pair("limit", &limit.to_string());
        }
        if let Some(cursor) = &self.cursor {
            to.append_pair("cursor", cursor);
        }
        to.finish()
    }

    /// Rows a page.
    pub fn limit(&self) -> u16 {
        self.limit.unwrap_or(crate::page::DEFAULT_LIMIT)
    }
}

/// How many issues wait for whom; for the tabs of the screen and the mark in the navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueCounts {
    /// Open.
    pub open: u64,
    /// With who asks, in any live state.
    pub mine: u64,
    /// Waiting on the customer.
    pub waiting: u64,
    /// Snoozed.
    pub snoozed: u64,
    /// Acknowledged.
    pub acknowledged: u64,
}

words! {
    /// What an outage is of.
    OutageKind {
        /// A platform: the systems of many customers.
        Platform = "platform", "Platform";
        /// A source: Makini, or the way to it.
        Source = "source", "Source";
        /// Our own poller.
        Poller = "poller", "Linewatch's own polling";
    }
}

/// What an outage is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OutageSubject {
    /// What kind of thing.
    pub kind: OutageKind,
    /// Its name in URLs: a platform's slug, a source's name, or `poller`.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// Many connections that failed together, or our own sight: one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Outage {
    /// Its id.
    pub id: OutageId,
    /// Of what.
    pub subject: OutageSubject,
    /// When its first connection failed.
    pub started_at: DateTime<Utc>,
    /// When it ended; null while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
    /// How many connections it has hit in all.
    pub affected: i64,
    /// How many of them are still broken; what was still broken when it ended.
    pub still_broken: i64,
    /// The issue that stands for it.
    pub issue_id: Option<IssueId>,
    /// Its issue's number.
    pub issue_number: Option<i64>,
}
