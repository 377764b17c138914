//! The webhook door.

use super::Env;
use engine::webhook::DoorLimits;
use std::time::Duration;

/// The webhook door.
#[derive(Clone, Copy, Debug)]
pub struct Webhook {
    /// `LINEWATCH_WEBHOOK_MAX_BYTES`: the largest body that is taken; 1 MiB unless said.
    pub max_bytes: usize,
    /// `LINEWATCH_WEBHOOK_BYTES_IN_FLIGHT`: bytes of all bodies that are being read or wait to be stored; more are answered
    /// 503. At least twice the largest body; 64 MiB unless said.
    pub bytes_in_flight: usize,
    /// `LINEWATCH_WEBHOOK_BODY_SECONDS`: how long a body may take to arrive; 10 unless said, as long as Makini waits.
    pub body_patience: Duration,
}

impl Webhook {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        let max_bytes = env.number("LINEWATCH_WEBHOOK_MAX_BYTES", 1 << 20, 1 << 10..=16 << 20);
        let bytes_in_flight = env.number("LINEWATCH_WEBHOOK_BYTES_IN_FLIGHT", 64 << 20, 2 << 20..=4 << 30);
        if bytes_in_flight < 2 * max_bytes {
            // else a large webhook would be told to come again for ever
            env.wrong("LINEWATCH_WEBHOOK_BYTES_IN_FLIGHT", "this must be at least twice LINEWATCH_WEBHOOK_MAX_BYTES");
        }
        Self {
            max_bytes,
            bytes_in_flight,
            body_patience: Duration::from_secs(env.number("LINEWATCH_WEBHOOK_BODY_SECONDS", 10, 1..=60)),
        }
    }

    /// The same, as the door takes it.
    pub fn limits(&self) -> DoorLimits {
        DoorLimits { body: self.max_bytes, bytes_in_flight: self.bytes_in_flight, ..DoorLimits::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_body_always_finds_room_some_day() {
        for (in_flight, fits) in [("33554432", true), ("33554431", false)] {
            let find = |name: &str| match name {
                "LINEWATCH_WEBHOOK_MAX_BYTES" => Some("16777216".to_owned()),
                "LINEWATCH_WEBHOOK_BYTES_IN_FLIGHT" => Some(in_flight.to_owned()),
                _ => None,
            };
            let mut env = Env::new(&find);
            Webhook::from_env(&mut env);
            assert_eq!(env.finish().is_ok(), fits, "{in_flight}");
        }
    }
}
