//! The webhook door.

use super::Env;
use engine::webhook::DoorLimits;
use std::time::Duration;

/// The webhook door.
#[derive(Clone, Copy, Debug)]
pub struct Webhook {
    /// `LINEWATCH_WEBHOOK_MAX_BYTES`: the largest body that is taken; 1 MiB unless said.
    pub max_bytes: usize,
    /// `LINEWATCH_WEBHOOK_BYTES_IN_FLIGHT`: bytes of all bodies that wait to be stored; more are answered 503. 64 MiB
    /// unless said.
    pub bytes_in_flight: usize,
    /// `LINEWATCH_WEBHOOK_BODY_SECONDS`: how long a body may take to arrive; 10 unless said, as long as Makini waits.
    pub body_patience: Duration,
}

impl Webhook {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        Self {
            max_bytes: env.number("LINEWATCH_WEBHOOK_MAX_BYTES", 1 << 20, 1 << 10..=16 << 20),
            bytes_in_flight: env.number("LINEWATCH_WEBHOOK_BYTES_IN_FLIGHT", 64 << 20, 16 << 20..=4 << 30),
            body_patience: Duration::from_secs(env.number("LINEWATCH_WEBHOOK_BODY_SECONDS", 10, 1..=60)),
        }
    }

    /// The same, as the door takes it.
    pub fn limits(&self) -> DoorLimits {
        DoorLimits { body: self.max_bytes, bytes_in_flight: self.bytes_in_flight, ..DoorLimits::default() }
    }
}
