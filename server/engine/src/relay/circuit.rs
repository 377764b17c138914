//! An endpoint that fails and fails is left alone; then a single delivery probes it now and then. When one arrives, the others
//! follow slowly at first, so that what waited does not fall upon it at once. Pure; time and chance are handed in.

use crate::work::backoff;
use chrono::{DateTime, TimeDelta, Utc};

/// Failures in a row that open it.
const FAILURES: u32 = 8;
/// The pause before the first probe …
const FIRST: TimeDelta = TimeDelta::seconds(60);
/// … which doubles up to this. Chance takes away up to half of it.
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// No pause is shorter.
const SHORTEST: TimeDelta = TimeDelta::seconds(30);

/// Counts failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circuit {
    failures: u32,
    open: Option<Open>,
    ramp: usize,
}

/// An open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub since: DateTime<Utc>,
    pub probe_at: DateTime<Utc>,
}

/// What an end changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    Nothing,
    Opened,
    Closed,
}

impl Circuit {
    /// As it was kept. `warm`: something arrived a moment ago, so that there is no need to begin slowly.
    pub fn new(failures: u32, open: Option<Open>, warm: bool) -> Self {
        Self { failures, open, ramp: if warm && failures == 0 { usize::MAX } else { 1 } }
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn open(&self) -> Option<Open> {
        self.open
    }

    /// How many may be under way at once.
    pub fn allows(&self, now: DateTime<Utc>, most: usize) -> usize {
        match self.open {
            Some(open) if now < open.probe_at => 0,
            Some(_) => 1,
            None => most.min(self.ramp),
        }
    }

    /// One arrived.
    pub fn arrived(&mut self) -> Turned {
        self.failures = 0;
        if self.open.take().is_some() {
            self.ramp = 1;
            return Turned::Closed;
        }
        self.ramp = self.ramp.saturating_add(1);
        Turned::Nothing
    }

    /// One did not. `probe`: it was sent while this was open; others were sent before and say nothing new.
    pub fn failed(&mut self, now: DateTime<Utc>, probe: bool, chance: f64) -> Turned {
        if self.open.is_some() && !probe {
            return Turned::Nothing;
        }
        self.failures = self.failures.saturating_add(1);
        self.ramp = if self.ramp == usize::MAX { self.ramp } else { (self.ramp / 2).max(1) };
        if self.failures < FAILURES && self.open.is_none() {
            return Turned::Nothing;
        }
        let pause = backoff(self.failures.saturating_sub(FAILURES) + 1, FIRST, LONGEST, chance).max(SHORTEST);
        let since = self.open.map_or(now, |open| open.since);
        let opened = self.open.is_none();
        self.open = Some(Open { since, probe_at: now + pause });
        if opened { Turned::Opened } else { Turned::Nothing }
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
        let mut circuit = Circuit::new(0, None, true);
        for _ in 0..7 {
            assert_eq!(circuit.failed(at(0), false, 0.0), Turned::Nothing);
            assert_eq!(circuit.allows(at(0), 10), 10);
        }
        assert_eq!(circuit.failed(at(0), false, 0.0), Turned::Opened);
        circuit
    }

    #[test]
    fn eight_failures_open_it_one_arrival_closes_it_and_the_others_follow_slowly() {
        let mut circuit = opened();
        assert_eq!(circuit.failed(at(1), false, 0.0), Turned::Nothing, "a straggler from before");
        assert_eq!((circuit.allows(at(29), 10), circuit.allows(at(30), 10)), (0, 1));
        assert_eq!(circuit.failed(at(30), true, 0.0), Turned::Nothing);
        assert_eq!((circuit.allows(at(89), 10), circuit.allows(at(90), 10)), (0, 1), "twice as long");
        assert_eq!(circuit.arrived(), Turned::Closed);
        let mut allowed = Vec::new();
        for _ in 0..4 {
            let now = circuit.allows(at(90), 10);
            allowed.push(now);
            for _ in 0..now {
                circuit.arrived();
            }
        }
        assert_eq!(allowed, [1, 2, 4, 8]);
        assert_eq!((circuit.allows(at(90), 10), circuit.failures()), (10, 0));
    }

    proptest! {
        #[test]
        fn only_one_at_a_time_while_it_is_open_and_never_a_pause_that_is_too_long(
            ends in proptest::collection::vec((any::<bool>(), 0i64..400, 0.0f64..=1.0), 0..200),
            most in 1usize..100,
        ) {
            let (mut circuit, mut now, mut in_a_row) = (Circuit::new(0, None, false), at(0), 0u32);
            for (well, pause, chance) in ends {
                now += TimeDelta::seconds(pause);
                let allowed = circuit.allows(now, most);
                prop_assert!(allowed <= most);
                let open = circuit.open();
                if open.is_some() {
                    prop_assert!(allowed <= 1);
                }
                if allowed == 0 {
                    continue;
                }
                if well {
                    in_a_row = 0;
                    prop_assert_eq!(circuit.arrived() == Turned::Closed, open.is_some());
                    prop_assert!(circuit.open().is_none());
                } else {
                    in_a_row += 1;
                    circuit.failed(now, open.is_some(), chance);
                    prop_assert_eq!(circuit.open().is_some(), in_a_row >= FAILURES);
                    if let Some(Open { since, probe_at }) = circuit.open() {
                        prop_assert!((SHORTEST..=LONGEST).contains(&(probe_at - now)) && since <= now);
                    }
                }
            }
        }
    }
}
