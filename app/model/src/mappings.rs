//! What no public text about Makini settles, set per source. Defaults are our own choice.

use crate::words::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// What a webhook says, whatever upstream calls it.
    EventKind {
        /// The customer must authorize again.
        ReauthorizationRequired = "connection.reauthorization_required", "Must sign in again";
        /// Online or offline.
        StatusChanged = "connection.status_changed", "Online or offline";
        /// A sync ended well.
        SyncCompleted = "sync.completed", "Sync done";
        /// A sync ended badly.
        SyncFailed = "sync.failed", "Sync failed";
        /// An error that needs attention.
        SystemError = "system.error", "System error";
    }
}

words! {
    /// Upstream's status of a connection, whatever its spelling.
    UpstreamStatus {
        /// The customer has not finished connecting.
        Pending = "pending", "Pending";
        /// The first sync is under way.
        Synchronizing = "synchronizing", "Synchronizing";
        /// A sync is under way.
        InProgress = "in_progress", "In progress";
        /// Ready.
        Active = "active", "Active";
        /// Disabled for lack of credits.
        Inactive = "inactive", "Inactive";
        /// The customer's system does not answer.
        Offline = "offline", "Offline";
        /// The last sync failed.
        Error = "error", "Error";
        /// The platform refuses the credentials.
        Fail = "fail", "Authentication failed";
        /// Disconnected.
        Disconnected = "disconnected", "Disconnected";
    }
}

/// The names of a webhook's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct FieldNames {
    /// The webhook's id.
    pub id: String,
    /// Its kind.
    pub event: String,
    /// Its time.
    pub timestamp: String,
    /// The connection's key.
    pub connection_id: String,
    /// The details.
    pub data: String,
}

impl Default for FieldNames {
    fn default() -> Self {
        Self {
            id: "id".into(),
            event: "event".into(),
            timestamp: "timestamp".into(),
            connection_id: "connection_id".into(),
            data: "data".into(),
        }
    }
}

/// Paths below the base URL; `{id}` stands for the connection's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Paths {
    /// Where tokens are made.
    pub token: String,
    /// The list of connections.
    pub connections: String,
    /// One connection's status.
    pub status: String,
    /// One connection's syncs.
    pub sync_status: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            token: "/link/token".into(),
            connections: "/api/v1/connections".into(),
            status: "/api/v1/connections/{id}/status".into(),
            sync_status: "/api/v1/connections/{id}/sync-status".into(),
        }
    }
}

/// Everything that a source may spell its own way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Mappings {
    /// The header that holds a webhook's signature.
    pub signature_header: String,
    /// The header that holds a webhook's id, for sources that do not put it in the body.
    pub id_header: Option<String>,
    /// A webhook's fields.
    pub fields: FieldNames,
    /// Further names of event kinds; those in [`EventKind`] are always known.
    pub events: BTreeMap<String, EventKind>,
    /// Further spellings of statuses; those in [`UpstreamStatus`] are always known.
    pub statuses: BTreeMap<String, UpstreamStatus>,
    /// Paths.
    pub paths: Paths,
    /// The header in which answers name the API's version.
    pub version_header: String,
}

impl Default for Mappings {
    fn default() -> Self {
        Self {
            signature_header: "X-Webhook-Signature".into(),
            id_header: None,
            fields: FieldNames::default(),
            events: BTreeMap::new(),
            statuses: BTreeMap::new(),
            paths: Paths::default(),
            version_header: "X-Makini-Version".into(),
        }
    }
}

impl Mappings {
    /// What a webhook of this name says; none if no mapping knows it.
    pub fn event_kind(&self, name: &str) -> Option<EventKind> {
        self.events.get(name).copied().or_else(|| name.parse().ok())
    }

    /// What this status means; none if no mapping knows it. Case, spaces, dashes and underscores do not matter.
    pub fn status(&self, raw: &str) -> Option<UpstreamStatus> {
        if let Some(status) = self.statuses.get(raw) {
            return Some(*status);
        }
        let plain: String = raw.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        Some(match plain.as_str() {
            "pending" => UpstreamStatus::Pending,
            "synchronizing" | "synchronising" | "syncing" | "initializing" => UpstreamStatus::Synchronizing,
            "inprogress" => UpstreamStatus::InProgress,
            "active" | "online" | "done" | "fulldone" | "completed" | "connected" => UpstreamStatus::Active,
            "inactive" => UpstreamStatus::Inactive,
            "offline" | "unreachable" => UpstreamStatus::Offline,
            "error" | "failed" => UpstreamStatus::Error,
            "fail" | "reauthrequired" | "reauthorizationrequired" => UpstreamStatus::Fail,
            "disconnected" | "deleted" | "revoked" => UpstreamStatus::Disconnected,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_published_spellings_are_understood_and_unknown_ones_stay_unknown() {
        let mappings = Mappings::default();
        for (raw, status) in [
            ("inprogress", UpstreamStatus::InProgress),
            ("in_progress", UpstreamStatus::InProgress),
            ("In progress", UpstreamStatus::InProgress),
            ("fulldone", UpstreamStatus::Active),
            ("full_done", UpstreamStatus::Active),
            ("Synchronizing", UpstreamStatus::Synchronizing),
            ("fail", UpstreamStatus::Fail),
        ] {
            assert_eq!(mappings.status(raw), Some(status), "{raw}");
        }
        assert_eq!(mappings.status("hibernating"), None);
    }

    #[test]
    fn a_source_may_spell_it_its_own_way() {
        let mappings: Mappings = serde_json::from_str(
            r#"{"statuses": {"Eingeschlafen": "offline"}, "events": {"conn.reauth": "connection.reauthorization_required"}}"#,
        )
        .unwrap();
        assert_eq!(mappings.status("Eingeschlafen"), Some(UpstreamStatus::Offline));
        assert_eq!(mappings.event_kind("conn.reauth"), Some(EventKind::ReauthorizationRequired));
        assert_eq!(mappings.event_kind("sync.completed"), Some(EventKind::SyncCompleted));
        assert_eq!(mappings.event_kind("assets.updated"), None);
    }
}
