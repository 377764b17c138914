//! What a webhook has told, and what one should have told before a poll found it. Pure.

use super::gap::{Came, Expected, GapKind};
use super::{Flow, FlowFact, Sighted, State};
use chrono::{DateTime, Utc};
use model::{Authorization, Eye};

/// What a sighting says of webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// One should have come.
    Expected(Expected),
    /// One came.
    Came(Came),
}

/// What was known before a sighting.
pub(super) struct Was {
    seen: bool,
    authorization: Authorization,
    flow: Flow,
    last_good_sync_at: Option<DateTime<Utc>>,
}

impl Was {
    /// Of a state, before it changes.
    pub(super) fn of(state: &State) -> Self {
        Self {
            seen: state.version > 0,
            authorization: state.known.authorization.value,
            flow: state.known.flow.value,
            last_good_sync_at: state.known.last_good_sync_at,
        }
    }

    /// What the sighting that led to `now` says of webhooks.
    pub(super) fn told(&self, now: &State, sighted: &Sighted) -> Option<Told> {
        let (connection, sighting) = (sighted.connection, &sighted.sighting);
        if sighting.eye == Eye::Webhook {
            let facts = &sighting.facts;
            let (kind, at) = match (facts.authorization, facts.flow) {
                (Some((Authorization::ReauthorizationRequired, _)), _) => {
                    (GapKind::ReauthorizationRequired, sighting.own_at)
                }
                (_, Some((FlowFact::Is(Flow::Good), _))) => (GapKind::SyncCompleted, facts.last_good_sync_at),
                (_, Some((FlowFact::Is(Flow::Offline) | FlowFact::Reachable, _))) => {
                    (GapKind::StatusChanged, sighting.own_at)
                }
                _ => return None,
            };
            return Some(Told::Came(Came { connection, kind, at: at.unwrap_or(sighting.at) }));
        }
        if !self.seen {
            return None;
        }
        let known = &now.known;
        let turned =
            |from: Authorization, to: Authorization| self.authorization == from && known.authorization.value == to;
        let (kind, happened_at) = if turned(Authorization::Authorized, Authorization::ReauthorizationRequired) {
            (GapKind::ReauthorizationRequired, sighting.at)
        } else if self.last_good_sync_at.is_some() && known.last_good_sync_at > self.last_good_sync_at {
            (GapKind::SyncCompleted, known.last_good_sync_at?)
        } else if (self.flow == Flow::Offline) != (known.flow.value == Flow::Offline) && self.flow != Flow::Unknown {
            (GapKind::StatusChanged, sighting.at)
        } else {
            return None;
        };
        Some(Told::Expected(Expected { connection, kind, happened_at }))
    }
}
