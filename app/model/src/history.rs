//! A connection over time, what it can do, and what a person does with it by hand.

use crate::words::words;
use crate::{ConnectionId, EventId, Eye, LinkId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// How a sync ended.
    SyncOutcome {
        /// Data arrived.
        Good = "good", "Good";
        /// It ended with an error.
        Failed = "failed", "Failed";
    }
}

words! {
    /// What a sync reads.
    SyncKind {
        /// What changed since the last good one.
        Incremental = "incremental", "What changed";
        /// Everything within the window.
        Full = "full", "Everything";
    }
}

/// A sync that ended, as something has told us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Sync {
    /// When it began, where that was said.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// How.
    pub outcome: SyncOutcome,
    /// What it read, where that was said.
    pub kind: Option<SyncKind>,
    /// How many records it carried, where that was said.
    pub records: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who told us.
    pub eye: Eye,
}

/// How much of a time a connection was up. Maintenance and what is unknown stand apart; unknown is never up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Availability {
    /// Over so many days, until now.
    pub days: u16,
    /// Healthy, in seconds.
    pub up_seconds: i64,
    /// Must sign in again, offline, failing, late or unstable, in seconds.
    pub down_seconds: i64,
    /// Unknown, in seconds.
    pub unknown_seconds: i64,
    /// In a first sync, paused, or before it was first seen, in seconds: neither up nor down.
    pub apart_seconds: i64,
    /// Within maintenance, in seconds: neither up nor down.
    pub maintenance_seconds: i64,
    /// Up among up and down, 0 to 100; null when neither is known.
    pub percent: Option<f64>,
    /// How often it went down.
    pub incidents: i64,
}

words! {
    /// What one may do with records.
    Operation {
        /// Read them.
        Read = "read", "Read";
        /// Make new ones.
        Create = "create", "Create";
        /// Change them.
        Update = "update", "Update";
        /// Delete them.
        Delete = "delete", "Delete";
    }
}

words! {
    /// Whether something can be done.
    Ability {
        /// It can.
        Yes = "yes", "Yes";
        /// Within limits.
        Limited = "limited", "Within limits";
        /// It cannot.
        No = "no", "No";
        /// Nothing is known.
        Unknown = "unknown", "Unknown";
    }
}

words! {
    /// How an ability is known.
    AbilityProof {
        /// The platform's description says so.
        Described = "described", "as the platform is described";
        /// It was really refused.
        Refused = "refused", "it was refused";
        /// It was really done.
        Done = "done", "it was done";
    }
}

/// What a connection can do with one kind of record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Capability {
    /// The kind of record, as in the unified API: `purchase_orders`.
    pub entity: String,
    /// What is done.
    pub operation: Operation,
    /// Whether it can be done.
    pub ability: Ability,
    /// The limit in words, such as “not after approval”.
    pub limit: Option<String>,
    /// How that is known.
    pub proof: Option<AbilityProof>,
    /// When that was last proved.
    pub proved_at: Option<DateTime<Utc>>,
    /// Through which eye it was seen; null where only the description says so.
    pub eye: Option<Eye>,
    /// Upstream's code, where it was refused with one.
    pub code: Option<String>,
    /// Upstream's words, where it was refused with some.
    pub message: Option<String>,
    /// The event that told it, where a webhook did.
    pub event_id: Option<EventId>,
}

/// A sync to start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NewSync {
    /// What to read; what changed, unless said.
    pub kind: Option<SyncKind>,
}

words! {
    /// Where a reconnect link stands.
    LinkState {
        /// Made; nobody has opened it.
        Made = "made", "Made";
        /// The customer has begun.
        Opened = "opened", "Opened";
        /// The customer has authorized again; the first good sync proves it.
        Done = "done", "Signed in; waiting for the first good sync";
        /// The repair is proved.
        Proved = "proved", "Proved by a good sync";
        /// Too old, or another one took its place.
        Expired = "expired", "Expired";
        /// What came back was another connection or system.
        Refused = "refused", "Signed in to the wrong account";
    }
}

/// The link that a customer follows to authorize again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ReconnectLink {
    /// Its id.
    pub id: LinkId,
    /// Of which connection.
    pub connection_id: ConnectionId,
    /// Where it stands.
    pub state: LinkState,
    /// The address; told once, when it is made.
    pub url: Option<String>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
    /// When the customer began.
    pub opened_at: Option<DateTime<Utc>>,
    /// When the customer had authorized again.
    pub done_at: Option<DateTime<Utc>>,
    /// When a good sync proved it.
    pub proved_at: Option<DateTime<Utc>>,
    /// Why what came back was refused.
    pub refusal: Option<String>,
}
