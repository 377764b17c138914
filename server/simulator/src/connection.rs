//! A connection: what never changes about it, what does, and the words for its state.

use crate::clock::Moment;
use crate::platforms::Platform;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Who owns connections.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// The client's own id for them.
    pub(crate) id: String,
    pub(crate) name: String,
}

/// What was drawn from the seed, or was said when the connection was added.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// As the client has noted it; nothing of connections that were added by request.
    pub(crate) owner: Option<Owner>,
    pub(crate) site: Option<String>,
    pub(crate) region: Option<&'static str>,
    pub(crate) platform: &'static Platform,
    /// Between two good syncs, simulated, before any cap.
    pub(crate) cadence: Duration,
    /// Roughly how many records a sync carries.
    pub(crate) volume: u32,
    /// How much of its cadence had passed when the simulator first started, 0 to 1.
    pub(crate) phase: f64,
    /// Holds sample data only: writes are answered as if they were done, and change nothing.
    pub(crate) sandbox: bool,
    pub(crate) created_at: Moment,
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.name == other.name
            && self.email == other.email
            && self.platform.slug == other.platform.slug
            && self.cadence == other.cadence
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The customer has not finished the sign-in.
    Pending,
    /// The first sync has not finished.
    FirstSync,
    /// In ordinary use.
    Live,
    /// Disabled for lack of credits.
    NoCredits,
}

/// Which sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SyncKind {
    /// What changed since the last good one.
    Incremental,
    /// Everything within the window.
    Full,
}

/// A sync under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) kind: SyncKind,
    pub(crate) started_at: Moment,
    pub(crate) ends_at: Moment,
}

/// Why a sync failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    /// The platform refuses the credentials.
    Credentials,
    /// The platform cannot be reached.
    Unreachable,
    /// The platform took too long.
    Timeout,
    /// The platform answered with an error.
    Source,
    /// The user may not read what the sync reads.
    Permission,
}

impl Failure {
    /// The code on the wire.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Credentials => "REAUTHORIZATION_REQUIRED",
            Self::Unreachable => "SYSTEM_UNREACHABLE",
            Self::Timeout => "SYNC_TIMEOUT",
            Self::Source => "SOURCE_ERROR",
            Self::Permission => "PERMISSION_DENIED",
        }
    }

    /// The type on the wire.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Credentials | Self::Permission => "authentication_error",
            Self::Unreachable | Self::Timeout => "connection_error",
            Self::Source => "api_error",
        }
    }

    /// The message for people; names the platform.
    pub(crate) fn message(self, platform: &Platform) -> String {
        let name = platform.name;
        match self {
            Self::Credentials => format!("{name} answered: {}", platform.refusal),
            Self::Unreachable => format!("{name} could not be reached: connection timed out after 30 s"),
            Self::Timeout => format!("{name} did not finish the query for {} in time", platform.entities()[0]),
            Self::Source => format!("{name} answered 500 while reading {}", platform.entities()[0]),
            Self::Permission => {
                format!("{name} answered: the integration user may not read {}", platform.entities()[1])
            }
        }
    }
}

/// What changes about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) stage: Stage,
    /// The customer's credentials changed.
    pub(crate) reauthorization_required: bool,
    /// Offline by an action or by the story.
    pub(crate) held_offline: bool,
    /// Offline by a fault.
    pub(crate) outage: bool,
    /// Silently syncs no more.
    pub(crate) stalled: bool,
    /// Acted upon through the control door: the story leaves it alone from then on.
    pub(crate) touched: bool,
    pub(crate) deleted: bool,
    pub(crate) running: Option<Run>,
    /// Why the last sync failed; nothing when it was good.
    pub(crate) last_failure: Option<Failure>,
    pub(crate) last_good: Option<Moment>,
    pub(crate) next_sync: Option<Moment>,
    /// How long the next sync will take, in real milliseconds.
    pub(crate) next_length_ms: u32,
    /// Syncs in a row that did not reach the platform.
    pub(crate) retries: u32,
    pub(crate) last_event_at: Option<Moment>,
    pub(crate) updated_at: Moment,
    /// The last good sync was one of everything.
    #[serde(default)]
    pub(crate) last_full: bool,
    /// When the customer last signed in again.
    #[serde(default)]
    pub(crate) reconnected_at: Option<Moment>,
}

impl Life {
    /// A connection that has just been connected and has nothing wrong with it.
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            stage: Stage::Live,
            reauthorization_required: false,
            held_offline: false,
            outage: false,
            stalled: false,
            touched: false,
            deleted: false,
            running: None,
            last_failure: None,
            last_good: None,
            next_sync: None,
            next_length_ms: 100,
            retries: 0,
            last_event_at: None,
            updated_at: now,
            last_full: false,
            reconnected_at: None,
        }
    }

    /// The platform cannot be reached.
    pub(crate) fn offline(&self) -> bool {
        self.held_offline || self.outage
    }

    /// In a stage in which syncs happen.
    pub(crate) fn connected(&self) -> bool {
        matches!(self.stage, Stage::Live | Stage::FirstSync)
    }

    /// Nothing is wrong and the first sync is done.
    pub(crate) fn well(&self) -> bool {
        !self.deleted
            && self.stage == Stage::Live
            && !self.reauthorization_required
            && !self.offline()
            && !self.stalled
            && self.last_failure.is_none()
    }

    /// `status` on the wire. What is wrong outranks what is under way, so that a broken connection does not look better
    /// for the length of a sync.
    pub(crate) fn status(&self) -> &'static str {
        match self.stage {
            Stage::Pending => "pending",
            Stage::NoCredits => "inactive",
            _ if self.reauthorization_required => "error",
            _ if self.offline() => "offline",
            // An unreachable platform that is back is no error any more; its retry is still to come.
            _ if !matches!(self.last_failure, None | Some(Failure::Unreachable)) => "error",
            Stage::FirstSync => "synchronizing",
            Stage::Live if self.running.is_some() => "in_progress",
            Stage::Live => "active",
        }
    }

    /// What is wrong now.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.reauthorization_required {
            Some(Failure::Credentials)
        } else if self.offline() {
            Some(Failure::Unreachable)
        } else {
            self.last_failure
        }
    }

    /// `status` of the last or running sync on the wire.
    pub(crate) fn sync_status(&self) -> &'static str {
        if self.reauthorization_required {
            "failed"
        } else if self.running.is_some() || (self.last_good.is_none() && self.last_failure.is_none()) {
            "in_progress"
        } else if self.last_failure.is_some() {
            "failed"
        } else {
            "completed"
        }
    }

    /// What the last sync ended with; nothing while it is going well.
    pub(crate) fn sync_failure(&self) -> Option<Failure> {
        if self.reauthorization_required {
            Some(Failure::Credentials)
        } else if self.running.is_some() {
            None
        } else {
            self.last_failure
        }
    }
}

/// What a client has noted of a connection.
pub(crate) type Notes = BTreeMap<String, Value>;

/// A connection in the simulator's memory.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) profile: Arc<Profile>,
    pub(crate) life: Life,
    /// What the client has noted of it by request; adds to what was drawn, and goes before it.
    pub(crate) notes: Arc<Notes>,
    /// The turn of its timer; timers of an older turn are void.
    pub(crate) turn: u32,
}

/// A connection as it was at one moment: cheap to take under the lock, written out after it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) profile: Arc<Profile>,
    pub(crate) life: Life,
    pub(crate) notes: Arc<Notes>,
    /// Real time between good syncs.
    pub(crate) cadence: Duration,
}

impl Seen {
    /// What the client has noted of it: whose it is, where, and whatever else it has added.
    pub(crate) fn metadata(&self) -> Notes {
        let profile = &self.profile;
        let owner = profile.owner.as_ref();
        let drawn = [
            ("customer_id", owner.map(|owner| owner.id.as_str())),
            ("customer_name", owner.map(|owner| owner.name.as_str())),
            ("site", profile.site.as_deref()),
            ("region", profile.region),
        ];
        let drawn = drawn.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
        let mut all: Notes = drawn.chain(self.notes.iter().map(|(key, value)| (key.clone(), value.clone()))).collect();
        // What was taken back.
        all.retain(|_, value| !value.is_null());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn what_is_wrong_outranks_what_is_under_way() {
        let now = clock::now();
        let run = Run { kind: SyncKind::Incremental, started_at: now, ends_at: now };
        let well = Life::new(now);
        assert_eq!(well.status(), "active");
        assert_eq!(Life { running: Some(run), ..well }.status(), "in_progress");
        assert_eq!(Life { running: Some(run), last_failure: Some(Failure::Source), ..well }.status(), "error");
        assert_eq!(Life { last_failure: Some(Failure::Unreachable), ..well }.status(), "active");
        assert_eq!(Life { held_offline: true, ..well }.status(), "offline");
        assert_eq!(Life { outage: true, reauthorization_required: true, ..well }.status(), "error");
        assert_eq!(Life { stage: Stage::FirstSync, running: Some(run), ..well }.status(), "synchronizing");
        let failed = Life { stage: Stage::FirstSync, last_failure: Some(Failure::Timeout), ..well };
        assert_eq!(failed.status(), "error");
        assert_eq!(Life { stage: Stage::NoCredits, ..well }.status(), "inactive");
        assert_eq!(Life { stage: Stage::Pending, ..well }.status(), "pending");
    }
}
