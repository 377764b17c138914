//! Endpoints of the user's own applications, and the events on their way to them.

use crate::words::words;
use crate::{Attempt, ConnectionId, CustomerId, DeliveryId, EndpointId, Environment, EventId, FieldError, Refusal};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// How an endpoint is.
    EndpointHealth {
        /// Its last delivery arrived, or none was due yet.
        Healthy = "healthy", "Healthy";
        /// Its last delivery did not arrive.
        Failing = "failing", "Failing";
        /// It failed so often in a row that deliveries wait while single ones probe it.
        Open = "open", "Not reached; deliveries wait";
        /// Switched off; what is due waits.
        Disabled = "disabled", "Switched off";
    }
}

words! {
    /// Where a delivery stands.
    DeliveryState {
        /// Due or scheduled.
        Pending = "pending", "Scheduled";
        /// Being sent.
        Running = "running", "Being sent";
        /// It arrived.
        Done = "done", "Delivered";
        /// Given up; it rests until a person retries it.
        Failed = "failed", "Failed";
        /// Its endpoint is switched off or not reached.
        Waiting = "waiting", "Waiting";
    }
}

/// Which events an endpoint gets. An empty list matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EndpointFilter {
    /// Kinds, as Makini names them.
    #[cfg_attr(feature = "ssr", schema(max_items = 1_000))]
    pub kinds: Vec<String>,
    /// Ids of sources.
    #[cfg_attr(feature = "ssr", schema(max_items = 1_000))]
    pub sources: Vec<crate::SourceId>,
    /// Slugs of platforms.
    #[cfg_attr(feature = "ssr", schema(max_items = 1_000))]
    pub platforms: Vec<String>,
    /// Ids of customers.
    #[cfg_attr(feature = "ssr", schema(max_items = 1_000))]
    pub customers: Vec<CustomerId>,
    /// Environments.
    pub environments: Vec<Environment>,
}

/// A secret that an endpoint's deliveries are signed with; the secret itself is told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct EndpointSecret {
    /// Its id.
    pub id: crate::SecretId,
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops signing, after another took over; null for the newest.
    pub expires_at: Option<DateTime<Utc>>,
}

/// An URL of the user's own applications to which events are forwarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Its name, unique.
    pub name: String,
    /// Where to.
    pub url: String,
    /// Which events.
    pub filter: EndpointFilter,
    /// Whether the events of a connection arrive in their order, each after the one before has ended.
    pub ordered: bool,
    /// Whether anything is sent.
    pub enabled: bool,
    /// How many requests at once.
    pub concurrency: u16,
    /// How many requests a second at most; null: no limit.
    pub rate_per_second: Option<u32>,
    /// Who is told when it fails: a name or an address.
    pub owner: Option<String>,
    /// How it is.
    pub health: EndpointHealth,
    /// Why its last delivery did not arrive; null when it did.
    pub last_error: Option<crate::AttemptError>,
    /// When a delivery last arrived.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// Since when it is not reached; null otherwise.
    pub open_since: Option<DateTime<Utc>>,
    /// How many deliveries are due, scheduled or wait.
    pub waiting: u64,
    /// The secrets that sign, newest first.
    pub secrets: Vec<EndpointSecret>,
    /// The newest secret itself; only in the answer that made it.
    pub secret: Option<String>,
    /// Grows with every change by a person.
    pub version: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// A new endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// Its name, unique.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 80, pattern = r"\S"))]
    pub name: String,
    /// Where to: https, or http where that is allowed.
    #[cfg_attr(feature = "ssr", schema(max_length = 2_000, pattern = "^https?://"))]
    pub url: String,
    /// Which events; absent: all.
    #[serde(default)]
    pub filter: EndpointFilter,
    /// Whether the events of a connection arrive in their order.
    #[serde(default)]
    pub ordered: bool,
    /// Whether anything is sent; unless said, yes.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// How many requests at once, 1 to 100; 10 unless said.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 100))]
    pub concurrency: Option<u16>,
    /// How many requests a second at most, 1 to 10,000; absent: no limit.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 10_000))]
    pub rate_per_second: Option<u32>,
    /// Who is told when it fails.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(max_length = 200))]
    pub owner: Option<String>,
}

/// What may be changed on an endpoint. Absent: unchanged; null: taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EndpointPatch {
    /// Its name.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 80, pattern = r"\S"))]
    pub name: Option<String>,
    /// Where to.
    #[cfg_attr(feature = "ssr", schema(max_length = 2_000, pattern = "^https?://"))]
    pub url: Option<String>,
    /// Which events: the whole filter.
    pub filter: Option<EndpointFilter>,
    /// Whether the events of a connection arrive in their order.
    pub ordered: Option<bool>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
    /// How many requests at once.
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 100))]
    pub concurrency: Option<u16>,
    /// How many requests a second at most.
    #[serde(with = "crate::page::double_option")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<u32>, minimum = 1, maximum = 10_000))]
    pub rate_per_second: Option<Option<u32>>,
    /// Who is told when it fails.
    #[serde(with = "crate::page::double_option")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 200))]
    pub owner: Option<Option<String>>,
    /// The version that was looked at; a stale one is refused.
    pub version: Option<i64>,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Its id: what receivers see as `webhook-id`, in every attempt the same.
    pub id: DeliveryId,
    /// The event.
    pub event_id: EventId,
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// The endpoint's name.
    pub endpoint: String,
    /// The connection it is about, where that is known.
    pub connection_id: Option<ConnectionId>,
    /// The event's kind.
    pub kind: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// When the event reached us.
    pub received_at: DateTime<Utc>,
    /// When it is tried next; null when nothing more is due.
    pub due_at: Option<DateTime<Utc>>,
    /// When its last try is due, if none before succeeds; null when nothing more is due.
    pub until: Option<DateTime<Utc>>,
    /// Its tries, oldest first.
    pub attempts: Vec<Sent>,
}

/// One try to deliver, with what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Sent {
    /// What every attempt has.
    #[cfg_attr(feature = "ssr", serde(flatten))]
    pub attempt: Attempt,
    /// The beginning of what was answered, at most 1 kB, without the values that are hidden; null when nothing was.
    pub answer: Option<String>,
}

/// A question about deliveries; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryQuery {
    /// Of this event.
    pub event: Option<EventId>,
    /// To this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Where they stand; empty: anywhere.
    pub state: Vec<DeliveryState>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl DeliveryQuery {
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
            "event" => self.event = Some(value.parse().map_err(|_| format!("“{value}” is not the id of an event"))?),
            "endpoint" => {
                self.endpoint = Some(value.parse().map_err(|_| format!("“{value}” is not the id of an endpoint"))?);
            }
            "state" => self.state.push(value.parse()?),
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
