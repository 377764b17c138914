//! What was seen of a connection, and its story.

use crate::words::words;
use crate::{CauseView, EvidenceId, Eye, Health};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// What a piece of evidence did to the state.
    Applied {
        /// It changed the state.
        Changed = "changed", "changed the state";
        /// It agreed with what was known.
        Confirmed = "confirmed", "agreed";
        /// It was older than what was known, and changed nothing.
        Older = "older", "came too late to count";
        /// It was older and disagreed: a check was asked for.
        Conflict = "conflict", "disagreed; a check was asked for";
    }
}

/// One thing seen about a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// Its id.
    pub id: EvidenceId,
    /// Through which eye.
    pub eye: Eye,
    /// The time that counts for it: when we sent the request, or min(the event's own time, our receipt).
    pub at: DateTime<Utc>,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// What it did.
    pub applied: Applied,
    /// What it says, in a sentence.
    pub text: String,
    /// What it says, as facts.
    #[serde(with = "crate::json")]
    #[cfg_attr(feature = "ssr", schema(value_type = serde_json::Value))]
    pub facts: crate::Json,
}

words! {
    /// Kinds of items on a timeline.
    TimelineKind {
        /// A change of health.
        Transition = "transition", "Change";
        /// Something seen.
        Evidence = "evidence", "Seen";
        /// Poll and webhook disagree.
        Conflict = "conflict", "Conflict";
        /// An event that never came.
        Gap = "gap", "Gap";
        /// An issue opened or ended.
        Issue = "issue", "Issue";
        /// A person did something.
        Person = "person", "Person";
        /// A reconnect link.
        Link = "link", "Link";
    }
}

/// One item of a connection's timeline, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TimelineItem {
    /// When.
    pub at: DateTime<Utc>,
    /// What kind of item.
    pub kind: TimelineKind,
    /// Health before; null at first sight, and for what is no transition.
    pub from: Option<Health>,
    /// Health after; null when the connection was removed, and for what is no transition.
    pub to: Option<Health>,
    /// Why.
    pub cause: Option<CauseView>,
    /// Through which eye.
    pub eye: Option<Eye>,
    /// The evidence behind it.
    pub evidence_id: Option<EvidenceId>,
    /// The item as a sentence.
    pub text: String,
}
