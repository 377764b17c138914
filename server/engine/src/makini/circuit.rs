//! When upstream is down, stop asking, then ask once now and then. Pure; time and chance are handed in.

use chrono::{DateTime, TimeDelta, Utc};

/// Faults in a row that open it.
const FAULTS: u32 = 5;
/// How long it stays open the first time, in seconds; then twice as long each time …
const FIRST: f64 = 5.0;
/// … up to this.
const LONGEST: f64 = 300.0;
/// A probe that has not come back after this is given up. Longer than any exchange may take.
const PROBE: TimeDelta = TimeDelta::seconds(60);
/// What is told to whoever comes while a probe is out.
const MEANWHILE: TimeDelta = TimeDelta::seconds(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Closed,
    Open { until: DateTime<Utc> },
    Probing { until: DateTime<Utc> },
}

/// Counts faults of upstream: 5xx, time-outs, no connection. What upstream answers otherwise, 4xx too, shows that it lives.
#[derive(Debug)]
pub(super) struct Circuit {
    stand: Stand,
    /// Faults since the last answer.
    faults: u32,
    /// How often it was opened since the last answer.
    opened: u32,
}

impl Circuit {
    /// A closed one.
    pub(super) fn new() -> Self {
        Self { stand: Stand::Closed, faults: 0, opened: 0 }
    }

    /// Whether one may ask now, else when to come again. When the pause is over, exactly one may: the probe.
    pub(super) fn enter(&mut self, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        self.check(now)?;
        if self.stand != Stand::Closed {
            self.stand = Stand::Probing { until: now + PROBE };
        }
        Ok(())
    }

    /// The same, but nobody enters.
    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        match self.stand {
            Stand::Open { until } if now < until => Err(until),
            Stand::Probing { until } if now < until => Err(until.min(now + MEANWHILE)),
            _ => Ok(()),
        }
    }

    /// Upstream answered; says whether that closed the circuit.
    pub(super) fn answered(&mut self) -> bool {
        let was_open = self.stand != Stand::Closed;
        *self = Self::new();
        was_open
    }

    /// Upstream failed; says until when, if that opened the circuit. `chance` is from 0 to 1.
    pub(super) fn failed(&mut self, now: DateTime<Utc>, chance: f64) -> Option<DateTime<Utc>> {
        self.faults = self.faults.saturating_add(1);
        match self.stand {
            Stand::Closed if self.faults < FAULTS => return None,
            // Sent before it was opened: nothing new.
            Stand::Open { until } if now < until => return None,
            _ => {}
        }
        let doubled = FIRST * 2_f64.powi(i32::try_from(self.opened.min(16)).unwrap_or(16));
        let seconds = (doubled.min(LONGEST) * (0.75 + 0.5 * chance.clamp(0.0, 1.0))).clamp(FIRST, LONGEST);
        let until = now + TimeDelta::milliseconds((seconds * 1_000.0) as i64);
        self.opened = self.opened.saturating_add(1);
        self.stand = Stand::Open { until };
        Some(until)
    }

    /// The probe never got to upstream: let the next one try.
    pub(super) fn unsent(&mut self, now: DateTime<Utc>) {
        if matches!(self.stand, Stand::Probing { .. }) {
            self.stand = Stand::Open { until: now };
        }
    }

    /// Until when nobody may ask; none while it is closed.
    pub(super) fn open_until(&self) -> Option<DateTime<Utc>> {
        match self.stand {
            Stand::Open { until } => Some(until),
            Stand::Closed | Stand::Probing { .. } => None,
        }
    }

    /// Whether a probe is out.
    pub(super) fn is_probing(&self) -> bool {
        matches!(self.stand, Stand::Probing { .. })
    }

    /// Faults since the last answer.
    pub(super) fn faults(&self) -> u32 {
        self.faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn opened() -> Circuit {
        let mut circuit = Circuit::new();
        for _ in 0..4 {
            assert_eq!(circuit.failed(at(0), 0.5), None);
        }
        assert_eq!(circuit.failed(at(0), 0.5), Some(at(5)));
        circuit
    }

    #[test]
    fn five_faults_in_a_row_open_it_and_one_probe_closes_it() {
        let mut circuit = opened();
        assert_eq!(circuit.enter(at(4)), Err(at(5)));
        assert_eq!(circuit.failed(at(4), 0.5), None, "a straggler from before");
        assert_eq!(circuit.open_until(), Some(at(5)));
        assert_eq!(circuit.enter(at(5)), Ok(()), "the probe");
        assert!(circuit.is_probing());
        assert_eq!(circuit.enter(at(5)), Err(at(6)), "only one");
        assert!(circuit.answered());
        assert_eq!(circuit.enter(at(6)), Ok(()));
        assert_eq!((circuit.faults(), circuit.open_until()), (0, None));
    }

    #[test]
    fn any_answer_in_between_starts_the_count_again() {
        let mut circuit = Circuit::new();
        for second in 0..100 {
            assert_eq!(circuit.failed(at(second), 0.0), None);
            if second % 4 == 3 {
                assert!(!circuit.answered());
            }
        }
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_five_minutes() {
        let mut circuit = opened();
        let (mut now, mut pauses) = (at(5), Vec::new());
        for _ in 0..9 {
            circuit.enter(now).unwrap();
            let until = circuit.failed(now, 0.5).unwrap();
            pauses.push((until - now).num_seconds());
            now = until;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 300, 300]);
    }

    #[test]
    fn a_probe_that_is_lost_or_was_never_sent_blocks_nobody() {
        let mut circuit = opened();
        circuit.enter(at(5)).unwrap();
        circuit.unsent(at(6));
        assert_eq!(circuit.enter(at(6)), Ok(()), "it never left");
        assert!(circuit.enter(at(65)).is_err());
        assert_eq!(circuit.enter(at(66)), Ok(()), "it never came back");
    }

    proptest! {
        #[test]
        fn a_pause_is_always_between_five_seconds_and_five_minutes(rounds in 0..40usize, chance in 0.0..1.0f64) {
            let mut circuit = opened();
            let mut now = at(5);
            for _ in 0..=rounds {
                prop_assert!(circuit.enter(now).is_ok());
                let until = circuit.failed(now, chance).unwrap();
                prop_assert!((5..=300).contains(&(until - now).num_seconds()));
                prop_assert!(circuit.enter(until - TimeDelta::milliseconds(1)).is_err());
                now = until;
            }
        }
    }
}
