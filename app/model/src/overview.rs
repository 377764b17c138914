//! What the Overview shows.

use crate::{Connection, ConnectionId, Eye, Health, Outage, Source, Totals};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One connection's change of health, for "in the last hour".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthChange {
    /// Which connection.
    pub connection: ConnectionId,
    /// Its customer.
    pub customer: String,
    /// Its platform.
    pub platform: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Health before; none at first sight.
    pub from: Option<Health>,
    /// Health after; none when it was removed.
    pub to: Option<Health>,
    /// Why, in words.
    pub cause: Option<String>,
    /// Through which eye.
    pub eye: Option<Eye>,
    /// How long the state before had lasted, in seconds.
    pub lasted_seconds: Option<i64>,
}

/// How the fleet stood at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetPoint {
    /// When.
    pub at: DateTime<Utc>,
    /// How many in each health.
    pub totals: Totals,
}

/// The Overview: who is broken, since when, and how well we can see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// When this was put together.
    pub at: DateTime<Utc>,
    /// How many in each health.
    pub totals: Totals,
    /// Outages that last, newest first, and those that ended within the last hour.
    #[serde(default)]
    pub outages: Vec<Outage>,
    /// The worst connections that need attention, at most eight.
    pub worst: Vec<Connection>,
    /// What changed in the last hour, newest first, at most 20.
    pub changes: Vec<HealthChange>,
    /// How many changes the last hour had in all.
    pub changes_in_all: u64,
    /// The fleet over the last 24 hours, oldest first.
    pub fleet: Vec<FleetPoint>,
    /// The sources, with how well each can be seen.
    pub sources: Vec<Source>,
    /// The age of the oldest proof among connections that are shown as known, in seconds.
    pub oldest_proof_seconds: Option<i64>,
}
