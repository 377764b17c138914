//! What of a connection's past is looked at, as its address says it; each choice keeps the others.

use super::text;
use leptos_router::params::ParamsMap;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Looking {
    /// The time bar covers so many days.
    pub days: u16,
    /// Availability is measured over so many days.
    pub up: u16,
    /// Where the timeline begins.
    pub older: Option<String>,
    /// Where the syncs begin.
    pub synced: Option<String>,
}

impl Looking {
    /// Reads an address; what it does not say is as usual.
    pub(crate) fn read(query: &ParamsMap) -> Self {
        let days = if query.get_str("days") == Some("7") { 7 } else { 1 };
        let up = query.get_str("up").and_then(|up| up.parse().ok()).filter(|up| [7, 30, 90].contains(up));
        Self { days, up: up.unwrap_or(30), older: query.get("older"), synced: query.get("synced") }
    }

    /// Writes the address, to the place with an id.
    pub(crate) fn address(&self, place: &str) -> String {
        let mut address = format!("?days={}", self.days);
        if self.up != 30 {
            address.push_str(&format!("&up={}", self.up));
        }
        for (name, cursor) in [("older", &self.older), ("synced", &self.synced)] {
            if let Some(cursor) = cursor {
                address.push_str(&format!("&{name}={}", text::encode(cursor)));
            }
        }
        if !place.is_empty() {
            address.push_str(&format!("#{place}"));
        }
        address
    }
}
