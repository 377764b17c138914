//! Everything that failed, in one list; retrying many of it; how long things are kept.

use crate::words::words;
use crate::{
    AttemptError, BulkState, ChannelId, ConnectionId, ConnectionRef, EndpointId, FieldError, GapId, Json, Refusal,
    RejectionId, RejectionReason, RetryId, SourceId,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

words! {
    /// What kind of thing failed.
    FailureKind {
        /// Processing an event.
        Processing = "processing", "Processing";
        /// Forwarding an event.
        Delivery = "delivery", "Deliveries";
        /// A request was turned away at the webhook door.
        Rejection = "rejection", "Rejections";
        /// A webhook never came.
        Gap = "gap", "Gaps";
        /// A message to people was not sent.
        Notification = "notification", "Notifications";
    }
}

/// A channel, as a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ChannelRef {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: String,
}

/// An endpoint, as a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct EndpointRef {
    /// Its id.
    pub id: EndpointId,
    /// Its name.
    pub name: String,
}

/// One thing that failed. It is here from its first failed attempt until it is done; gaps and rejections stay until retention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Failure {
    /// What kind of thing.
    pub kind: FailureKind,
    /// The id of the thing itself: of an event, a delivery, a rejection, a gap, a notification.
    pub id: Uuid,
    /// When it first failed.
    pub at: DateTime<Utc>,
    /// The source's name, where there is one.
    pub source: Option<String>,
    /// The connection, where that is known.
    pub connection: Option<ConnectionRef>,
    /// The endpoint, of a delivery.
    pub endpoint: Option<EndpointRef>,
    /// The channel, of a notification.
    pub channel: Option<ChannelRef>,
    /// The event's kind, or what is missing, as upstream names it; of a notification its subject line.
    pub what: Option<String>,
    /// Why.
    pub error: AttemptError,
    /// How often it was tried.
    pub attempts_count: u32,
    /// When it is tried next; null when it rests.
    pub next_due_at: Option<DateTime<Utc>>,
    /// Whether a person can have it tried again.
    pub retryable: bool,
}

/// A question about failures; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureQuery {
    /// Kinds; empty: all.
    pub kind: Vec<FailureKind>,
    /// Of one connection.
    pub connection: Option<ConnectionId>,
    /// Of one endpoint.
    pub endpoint: Option<EndpointId>,
    /// Of these sources, by id or name.
    pub source: Vec<String>,
    /// With this class of error; empty: any.
    pub error: Vec<String>,
    /// First failed at or after.
    pub since: Option<DateTime<Utc>>,
    /// First failed before.
    pub until: Option<DateTime<Utc>>,
    /// With this text in the error or in what is shown of the payload.
    pub q: Option<String>,
    /// With `q` at this place of the payload, such as `data.error.code`.
    pub path: Option<String>,
    /// These things alone.
    pub id: Vec<Uuid>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl FailureQuery {
    /// Reads a query string; wrong values are refused with a sentence each.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.trim().is_empty()) {
            if let Err(message) = read.take(&name, value.trim()) {
                errors.push(FieldError { field: name.into_owned(), message });
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }

    /// Takes one filter; also of a page's address and of the filter of a bulk retry.
    pub fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        crate::page::no_nul(value)?;
        match name {
            "kind" => self.kind.push(value.parse()?),
            "connection" => {
                self.connection = Some(value.parse().map_err(|_| format!("“{value}” is not the id of a connection"))?);
            }
            "endpoint" => {
                self.endpoint = Some(value.parse().map_err(|_| format!("“{value}” is not the id of an endpoint"))?);
            }
            "source" => self.source.push(value.to_owned()),
            "error" => self.error.push(value.to_owned()),
            "since" => self.since = Some(moment(value)?),
            "until" => self.until = Some(moment(value)?),
            "q" => self.q = Some(value.to_owned()),
            "path" => self.path = Some(value.to_owned()),
            "id" => self.id.push(value.parse().map_err(|_| format!("“{value}” is not an id"))?),
            "cursor" => self.cursor = Some(value.to_owned()),
            "limit" => self.limit = Some(crate::page::read_limit(value)?),
            _ => return Err("this filter is not known".to_owned()),
        }
        Ok(())
    }

    /// Rows a page.
    pub fn limit(&self) -> u16 {
        self.limit.unwrap_or(crate::page::DEFAULT_LIMIT)
    }
}

fn moment(value: &str) -> Result<DateTime<Utc>, String> {
    // a plus of an offset that was not escaped arrives as a blank
    let at: DateTime<Utc> =
        value.replace(' ', "+").parse().map_err(|_| format!("“{value}” is not a time such as 2026-11-22T14:05:00Z"))?;
    let year = chrono::Datelike::year(&at);
    if (1..=9_999).contains(&year) {
        Ok(at)
    } else {
        Err(format!("“{value}” is no time that anything happened at"))
    }
}

/// How many failures there are, and what stands out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FailureSummary {
    /// How many of each kind match, whatever kinds were asked for; of kinds that have none, nothing.
    #[cfg_attr(feature = "ssr", schema(value_type = std::collections::BTreeMap<String, u64>))]
    pub counts: std::collections::BTreeMap<FailureKind, u64>,
    /// What stands out, in sentences, such as "Every request to “demo” since 09:12 had a wrong signature".
    pub hints: Vec<FailureHint>,
    /// Classes of errors among the newest 500 of each kind asked for, most frequent first, at most 30, whatever `error`, `connection`
    /// and `q` say: what can be filtered by.
    pub errors: Vec<String>,
    /// The connections among the same, most frequent first, at most 30.
    pub connections: Vec<ConnectionRef>,
}

/// Something that stands out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FailureHint {
    /// Which source.
    pub source: SourceId,
    /// Its name.
    pub source_name: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How many requests.
    pub count: u64,
    /// What is probably wrong, in a sentence without the time.
    pub text: String,
}

/// Failures with the same cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FailureGroup {
    /// What kind of thing.
    pub kind: FailureKind,
    /// Why; the message of the newest.
    pub error: AttemptError,
    /// The endpoint, of deliveries.
    pub endpoint: Option<EndpointRef>,
    /// The channel, of notifications.
    pub channel: Option<ChannelRef>,
    /// The source's name, of all else.
    pub source: Option<String>,
    /// How many.
    pub count: u64,
    /// When the first failed.
    pub first_at: DateTime<Utc>,
    /// When the last failed.
    pub last_at: DateTime<Utc>,
    /// Whether a person can have them tried again.
    pub retryable: bool,
}

/// A request that was turned away at the webhook door, kept as a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Rejection {
    /// Its id.
    pub id: RejectionId,
    /// The name of the source it was for.
    pub source: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Why it was turned away.
    pub reason: RejectionReason,
    /// Why, in a sentence.
    pub detail: String,
    /// The headers that were kept.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body, without the values that are hidden; nobody reveals them.
    pub excerpt: String,
}

/// Something that must have happened but whose webhook never came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GapView {
    /// Its id.
    pub id: GapId,
    /// The connection.
    pub connection: ConnectionRef,
    /// The source's name.
    pub source: String,
    /// What must have been told, such as `sync_completed`.
    pub kind: String,
    /// When it happened, as a poll tells it.
    pub happened_at: DateTime<Utc>,
    /// When the poll told it; the state of the connection was repaired then.
    pub found_at: DateTime<Utc>,
    /// When the window in which its webhook may come ended.
    pub missed_at: DateTime<Utc>,
    /// When its webhook came after all.
    pub came_at: Option<DateTime<Utc>>,
    /// What is known of where it was lost, in a sentence.
    pub explanation: String,
}

/// What to try again: the filters of the failed list as an object, each with its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetryFilter(pub crate::BulkFilter);

impl RetryFilter {
    /// The same as a question. Order and page do not count.
    pub fn query(&self) -> Result<FailureQuery, Refusal> {
        let mut read = FailureQuery::default();
        let mut errors = Vec::new();
        for (name, values) in &self.0.0 {
            for value in values.iter().filter(|value| !value.trim().is_empty()) {
                let taken = match name.as_str() {
                    "cursor" | "limit" => Err("a retry has no pages".to_owned()),
                    name => read.take(name, value.trim()),
                };
                if let Err(message) = taken {
                    errors.push(FieldError::new(format!("filter.{name}"), message));
                }
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }
}

/// Trying many again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NewRetry {
    /// What: the filters of the failed list, `{"kind": ["delivery"], "endpoint": "…", "since": "…"}`. Only what is retryable counts; of notifications,
    /// those that rest as failed and that no other channel told.
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub filter: RetryFilter,
    /// Only count.
    pub dry_run: bool,
    /// How many a second, 1 to 10,000; 1,000 unless said.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 10_000))]
    pub rate: Option<u32>,
}

/// Many being tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Retry {
    /// Its id; null for a preview.
    pub id: Option<RetryId>,
    /// Where it stands; null for a preview.
    pub state: Option<BulkState>,
    /// What, as it was asked.
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub filter: RetryFilter,
    /// How many a second.
    pub rate: u32,
    /// How many.
    pub total: i64,
    /// Arrived, processed or sent.
    pub done: i64,
    /// Failed again.
    pub failed: i64,
    /// Left out, because it was done or under way already.
    pub skipped: i64,
    /// Let go: whatever ended well or failed again, and what is under way. Of one that was cancelled, all that ever will be.
    pub let_go: i64,
    /// Still to do, what is under way among it; of one that was cancelled, what was not tried or has not ended.
    pub remaining: i64,
    /// Who started it.
    pub by: String,
    /// When; null for a preview.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why those that failed did, most frequent first, at most 20.
    pub errors: Vec<RetryError>,
}

/// Why some failed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RetryError {
    /// Why.
    pub message: String,
    /// How many.
    pub count: i64,
}

/// What may be changed on one that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RetryPatch {
    /// `paused` or `running`.
    pub state: Option<BulkState>,
    /// How many a second.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 10_000))]
    pub rate: Option<u32>,
}

/// A webhook that Makini itself could not deliver to us, where a source tells of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct MakiniDelivery {
    /// Makini's id of the webhook.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Upstream's identifier of the connection it is about.
    pub connection_key: Option<String>,
    /// Its connection, where that is known.
    pub connection: Option<ConnectionRef>,
    /// `pending` or `failed`, as upstream says.
    pub status: String,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When Makini tries next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// How often Makini tried.
    pub attempts_count: u32,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// How long things are kept, in days. What is not resolved stays until it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Retention {
    /// Events with their payloads, and their processing.
    pub events_days: u16,
    /// Deliveries with their attempts.
    pub deliveries_days: u16,
    /// Evidence.
    pub evidence_days: u16,
    /// Samples of rejected requests.
    pub rejections_days: u16,
    /// Gaps.
    pub gaps_days: u16,
    /// Alerts that are over, and the notifications about them with their attempts.
    pub notifications_days: u16,
    /// Names of fields, in any case, whose values are not shown in payloads, nor found by a search. They hold for all payloads; what was
    /// hidden when it came stays hidden when its name is taken away.
    pub redacted_fields: Vec<String>,
    /// Grows with every change.
    pub version: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            events_days: 90,
            deliveries_days: 90,
            evidence_days: 90,
            rejections_days: 14,
            gaps_days: 365,
            notifications_days: 365,
            redacted_fields: [
                "password",
                "secret",
                "token",
                "access_token",
                "refresh_token",
                "authorization",
                "api_key",
            ]
            .map(str::to_owned)
            .to_vec(),
            version: 0,
        }
    }
}

/// What may be changed on it. Absent: unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RetentionPatch {
    /// Events; 1 to 3,650 days, as everything here.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 3_650))]
    pub events_days: Option<u16>,
    /// Deliveries.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 3_650))]
    pub deliveries_days: Option<u16>,
    /// Evidence.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 3_650))]
    pub evidence_days: Option<u16>,
    /// Samples of rejected requests.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 3_650))]
    pub rejections_days: Option<u16>,
    /// Gaps.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 3_650))]
    pub gaps_days: Option<u16>,
    /// Alerts that are over, and the notifications about them.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 3_650))]
    pub notifications_days: Option<u16>,
    /// Names of fields whose values are not shown: all of them. What was hidden when it came stays hidden.
    pub redacted_fields: Option<Vec<String>>,
    /// The version that was looked at; a stale one is refused.
    pub version: Option<i64>,
}

/// A payload shown as it came, which is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Revealed {
    /// The body as text.
    pub payload: String,
    /// The same, if it is JSON, laid out.
    #[serde(with = "crate::json")]
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub json: Json,
}
