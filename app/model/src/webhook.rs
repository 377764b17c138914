//! Webhooks received, and what became of them.

use crate::words::words;
use crate::{ConnectionId, EventId, FieldError, Refusal};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// What became of an event.
    EventState {
        /// Stored; not processed yet.
        Pending = "pending", "Waiting";
        /// Processed.
        Processed = "processed", "Processed";
        /// Processing failed; it rests until retried.
        Failed = "failed", "Failed";
        /// Too old to count when it came; kept, never moves a state.
        Superseded = "superseded", "Superseded";
        /// Of a kind that no mapping names; kept.
        Unrecognised = "unrecognised", "Unrecognised";
    }
}

words! {
    /// What caused an attempt.
    AttemptTrigger {
        /// The thing itself arrived.
        Arrival = "arrival", "on arrival";
        /// The schedule.
        Schedule = "schedule", "by schedule";
        /// A person.
        Person = "person", "by hand";
        /// A bulk operation.
        Bulk = "bulk", "in bulk";
    }
}

words! {
    /// How an attempt ended.
    AttemptOutcome {
        /// Done.
        Ok = "ok", "ok";
        /// To be tried again.
        Retry = "retry", "will be tried again";
        /// Given up.
        Failed = "failed", "failed";
    }
}

words! {
    /// Why a request at the webhook door was turned away.
    RejectionReason {
        /// No signature header.
        SignatureMissing = "signature_missing", "No signature";
        /// The signature is not of any live secret.
        SignatureWrong = "signature_wrong", "Wrong signature";
        /// The source has no webhook secret, so nothing can be verified.
        NoSecret = "no_secret", "The source has no webhook secret";
        /// The body is not JSON.
        NotJson = "not_json", "Not JSON";
        /// The body is too large.
        TooLarge = "too_large", "Too large";
        /// A known id came with other bytes.
        IdReused = "id_reused", "Same id, other content";
        /// Its body broke off, or came too slowly.
        NotRead = "not_read", "Broke off or came too slowly";
        /// There is no such source.
        NoSuchSource = "no_such_source", "No such source";
        /// It could not be stored.
        NotStored = "not_stored", "Could not be stored";
    }
}

/// An attempt's error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AttemptError {
    /// A short stable name.
    pub class: String,
    /// A sentence.
    pub message: String,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// Its number, from 1.
    pub n: u32,
    /// What caused it.
    pub trigger: AttemptTrigger,
    /// Who, when a person did.
    pub by: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The HTTP status of the answer, for what goes out.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<AttemptError>,
}

/// One webhook received, kept raw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Event {
    /// Our id.
    pub id: EventId,
    /// The source's name.
    pub source: String,
    /// Upstream's id for it.
    pub webhook_id: Option<String>,
    /// Its kind, as upstream names it.
    pub kind: Option<String>,
    /// The connection it is about, where that is known.
    pub connection_id: Option<ConnectionId>,
    /// Its own time.
    pub occurred_at: Option<DateTime<Utc>>,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// What became of it.
    pub state: EventState,
    /// It has neither id nor time, so it cannot be told from a repeat.
    pub maybe_repeat: bool,
    /// How often it came again.
    pub duplicates: u32,
    /// Tries to process it.
    pub attempts: Vec<Attempt>,
}

/// An event with its payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct EventDetail {
    /// What the list shows too.
    #[cfg_attr(feature = "ssr", serde(flatten))]
    pub event: Event,
    /// The body as text, without the values that are hidden; null when the role may not see it.
    pub payload: Option<String>,
    /// The headers that were kept.
    pub headers: Vec<(String, String)>,
}

/// A question about events; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventQuery {
    /// Upstream's id.
    pub webhook_id: Option<String>,
    /// What became of them; empty: all.
    pub state: Vec<EventState>,
    /// Kinds; empty: all.
    pub kind: Vec<String>,
    /// Of one connection.
    pub connection: Option<ConnectionId>,
    /// Of these sources, by id or name.
    pub source: Vec<String>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl EventQuery {
    /// Reads a query string; wrong values are refused with a sentence each.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            if let Err(message) = read.take(&name, &value) {
                errors.push(FieldError { field: name.into_owned(), message });
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        crate::page::no_nul(value)?;
        match name {
            "webhook_id" => self.webhook_id = Some(value.to_owned()),
            "state" => self.state.push(value.parse()?),
            "kind" => self.kind.push(value.to_owned()),
            "connection" => {
                self.connection = Some(value.parse().map_err(|_| format!("“{value}” is not the id of a connection"))?);
            }
            "source" => self.source.push(value.to_owned()),
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
