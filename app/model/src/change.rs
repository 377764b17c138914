//! What changed: said to open pages, which then ask.

use crate::words::words;
use serde::{Deserialize, Serialize};

words! {
    /// What kind of thing changed.
    ChangeTopic {
        /// A connection.
        Connection = "connection", "connection";
        /// An issue.
        Issue = "issue", "issue";
        /// An outage.
        Outage = "outage", "outage";
        /// A received event.
        Event = "event", "event";
        /// A delivery.
        Delivery = "delivery", "delivery";
        /// A bulk retry.
        Retry = "retry", "retry";
        /// An alert.
        Alert = "alert", "alert";
        /// A notification.
        Notification = "notification", "notification";
        /// Linewatch itself, its sources among it.
        System = "system", "system";
    }
}

/// One change. A lost one costs nothing: after a gap everything visible is asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Change {
    /// What kind of thing.
    pub topic: ChangeTopic,
    /// Its id; `*` for many.
    pub id: String,
    /// Its version after the change; 0 where it has none.
    pub version: i64,
    /// Only its times and upstream's own word moved, as with every good sync: no total, no filter and no order but one by time
    /// rests on them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
}

impl Change {
    /// A thing changed.
    pub fn new(topic: ChangeTopic, id: impl ToString, version: i64) -> Self {
        Self { topic, id: id.to_string(), version, quiet: false }
    }

    /// A thing changed, but only so.
    pub fn quiet(topic: ChangeTopic, id: impl ToString, version: i64) -> Self {
        Self { quiet: true, ..Self::new(topic, id, version) }
    }

    /// Many things of a topic changed.
    pub fn many(topic: ChangeTopic) -> Self {
        Self::new(topic, "*", 0)
    }
}
