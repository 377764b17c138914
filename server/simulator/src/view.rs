//! The state as the control door and tests see it.

use crate::clock::{self, Moment};
use crate::connection::Seen;
use crate::outbox::{Attempt, Delivery, DeliveryStatus};
use serde::Serialize;

/// A connection as the control door shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConnectionState {
    /// Its id on the wire.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The slug of its platform.
    pub platform: String,
    /// The name of its customer; its own where that is not known.
    pub customer: String,
    /// `status` on the wire.
    pub status: &'static str,
    /// Whether the customer has to sign in again.
    pub reauthorization_required: bool,
    /// Whether a sync is under way.
    pub syncing: bool,
    /// Whether it silently stopped.
    pub stalled: bool,
    /// Real seconds between good syncs.
    pub cadence_seconds: f64,
    /// When a sync last ended well.
    #[serde(serialize_with = "clock::write_option")]
    pub last_successful_sync_at: Option<Moment>,
    /// When the next one starts; of a stalled connection, when it should have.
    #[serde(serialize_with = "clock::write_option")]
    pub next_sync_at: Option<Moment>,
    /// Whether it was acted upon, so that the story leaves it alone.
    pub touched: bool,
    /// Whether it holds sample data only, so that writes change nothing.
    pub sandbox: bool,
}

impl From<&Seen> for ConnectionState {
    fn from(Seen { profile, life, cadence, .. }: &Seen) -> Self {
        Self {
            key: profile.id.clone(),
            name: profile.name.clone(),
            platform: profile.platform.slug.to_owned(),
            customer: profile.owner.as_ref().map_or_else(|| profile.name.clone(), |owner| owner.name.clone()),
            status: life.status(),
            reauthorization_required: life.reauthorization_required,
            syncing: life.running.is_some(),
            stalled: life.stalled,
            cadence_seconds: cadence.as_secs_f64(),
            last_successful_sync_at: life.last_good,
            next_sync_at: life.next_sync,
            touched: life.touched,
            sandbox: profile.sandbox,
        }
    }
}

/// A delivery as the control door shows it: with its body, as the text that was signed.
#[derive(Debug, Serialize)]
pub(crate) struct DeliveryView {
    id: String,
    event: String,
    connection_id: String,
    status: DeliveryStatus,
    #[serde(serialize_with = "clock::write")]
    created_at: Moment,
    #[serde(serialize_with = "clock::write_option")]
    next_attempt_at: Option<Moment>,
    attempts: Vec<Attempt>,
    body: String,
}

impl From<Delivery> for DeliveryView {
    fn from(one: Delivery) -> Self {
        Self {
            id: one.id,
            event: one.event,
            connection_id: one.connection_id,
            status: one.status,
            created_at: one.created_at,
            next_attempt_at: one.next_attempt_at,
            attempts: one.attempts,
            body: one.body.as_ref().to_owned(),
        }
    }
}
