//! What makes an outage.

use super::{Env, Purpose, health::recovery_seconds};
use chrono::TimeDelta;
use engine::health::OutagePolicy;

/// What makes an outage.
#[derive(Clone, Copy, Debug)]
pub struct Outages {
    /// `LINEWATCH_OUTAGE_AT_LEAST` connections (1 to 100,000; 5 unless said), and `LINEWATCH_OUTAGE_PERCENT` of the platform's or the
    /// source's (1 to 100; 30), that fail within `LINEWATCH_OUTAGE_WINDOW_SECONDS` (5 to 3,600; 60). It is over when fewer are broken
    /// for `LINEWATCH_OUTAGE_RECOVERY_SECONDS` (0 to 86,400; 300, and 10 in the demo).
    pub policy: OutagePolicy,
}

impl Outages {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>, purpose: Purpose) -> Self {
        let usual = OutagePolicy::default();
        let window = env.number("LINEWATCH_OUTAGE_WINDOW_SECONDS", usual.window.num_seconds(), 5..=3_600);
        let hold = env.number("LINEWATCH_OUTAGE_RECOVERY_SECONDS", recovery_seconds(purpose), 0..=86_400);
        let policy = OutagePolicy {
            at_least: env.number("LINEWATCH_OUTAGE_AT_LEAST", usual.at_least, 1..=100_000),
            percent: env.number("LINEWATCH_OUTAGE_PERCENT", usual.percent, 1..=100),
            window: TimeDelta::seconds(window),
            hold: TimeDelta::seconds(hold),
        };
        Self { policy }
    }
}
