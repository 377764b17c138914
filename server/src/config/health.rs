//! When things count as well again.

use super::{Env, Purpose};
use chrono::TimeDelta;

/// The recovery hold-down in seconds, unless it is set.
pub(super) const fn recovery_seconds(purpose: Purpose) -> i64 {
    match purpose {
        // in the demo an hour passes in a minute
        Purpose::Demo => 10,
        Purpose::Product | Purpose::Schema => 300,
    }
}

/// The window for webhooks in seconds, unless it is set.
pub(super) const fn gap_seconds(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Demo => 15,
        Purpose::Product | Purpose::Schema => 600,
    }
}

/// When things count as well again.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// `LINEWATCH_HEALTH_RECOVERY_SECONDS`: how long a connection must be well before its issues resolve by themselves, 0 to
    /// 86,400; 300 unless said, 10 in the demo.
    pub recovery_hold: TimeDelta,
    /// `LINEWATCH_HEALTH_GAP_WINDOW_SECONDS`: how long a webhook is waited for after a poll has found what it should have told,
    /// 1 to 86,400; 600 unless said, 15 in the demo.
    pub gap_window: TimeDelta,
}

impl Health {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>, purpose: Purpose) -> Self {
        let seconds = env.number("LINEWATCH_HEALTH_RECOVERY_SECONDS", recovery_seconds(purpose), 0..=86_400);
        let window = env.number("LINEWATCH_HEALTH_GAP_WINDOW_SECONDS", gap_seconds(purpose), 1..=86_400);
        Self { recovery_hold: TimeDelta::seconds(seconds), gap_window: TimeDelta::seconds(window) }
    }
}
