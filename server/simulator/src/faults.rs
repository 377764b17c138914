//! What can be made to go wrong between us and whoever watches: slow, failing, limited answers; lost, doubled, late, forged
//! webhooks; outages.

use crate::clock::{self, Moment};
use crate::platforms;
use crate::timers::Job;
use crate::world::World;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    LatencyMs,
    ErrorRate,
    RateLimit,
    DropWebhooks,
    DuplicateWebhooks,
    ReorderWebhooks,
    BadSignature,
    Outage,
}

impl FaultKind {
    /// Whether this value means something, in a sentence if not.
    pub(crate) fn check(self, value: f64) -> Result<(), &'static str> {
        let (good, sentence) = match self {
            Self::LatencyMs => ((0.0..=120_000.0).contains(&value), "latency_ms takes milliseconds from 0 to 120000"),
            Self::RateLimit => (
                (0.0..=1e9).contains(&value) && value.fract() == 0.0,
                "rate_limit takes a whole number of requests a minute",
            ),
            Self::Outage => (value == 1.0, "outage takes the value 1"),
            _ => ((0.0..=1.0).contains(&value), "the value of this fault is a share from 0 to 1"),
        };
        if good { Ok(()) } else { Err(sentence) }
    }
}

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Platform(&'static str),
    Connection(usize),
}

/// What a request or a webhook is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    pub(crate) connection: Option<usize>,
    pub(crate) platform: Option<&'static str>,
}

/// A fault that is on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) id: u64,
    pub(crate) kind: FaultKind,
    pub(crate) value: f64,
    pub(crate) scope: Scope,
    pub(crate) since: Moment,
    pub(crate) until: Option<Moment>,
}

/// A fault as it is shown and saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) id: u64,
    #[serde(rename = "fault")]
    pub(crate) kind: FaultKind,
    pub(crate) value: f64,
    pub(crate) scope: String,
    #[serde(serialize_with = "clock::write")]
    pub(crate) since: Moment,
    #[serde(serialize_with = "clock::write_option")]
    pub(crate) until: Option<Moment>,
}

/// The faults that are on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) list: Vec<Fault>,
    pub(crate) last_id: u64,
}

impl Fault {
    fn covers(&self, target: Target) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Platform(slug) => target.platform == Some(slug),
            Scope::Connection(at) => target.connection == Some(at),
        }
    }
}

impl Faults {
    /// The faults of this kind that concern this target.
    pub(crate) fn about(&self, kind: FaultKind, target: Target) -> impl Iterator<Item = &Fault> {
        self.list.iter().filter(move |fault| fault.kind == kind && fault.covers(target))
    }

    /// The worst value of this kind for this target; 0 when there is none.
    pub(crate) fn worst(&self, kind: FaultKind, target: Target) -> f64 {
        self.about(kind, target).map(|fault| fault.value).fold(0.0, f64::max)
    }
}

/// Why a scope cannot be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadScope {
    /// It is none of the three forms.
    Form,
    /// What it names does not exist.
    Unknown,
}

impl World {
    /// Reads a scope.
    pub(crate) fn scope(&self, text: &str) -> Result<Scope, BadScope> {
        match text.split_once(':') {
            None if text == "all" => Ok(Scope::All),
            Some(("platform", slug)) => {
                platforms::find(slug).map(|platform| Scope::Platform(platform.slug)).ok_or(BadScope::Unknown)
            }
            Some(("connection", key)) => self.find(key).map(Scope::Connection).ok_or(BadScope::Unknown),
            _ => Err(BadScope::Form),
        }
    }

    /// A fault as it is shown.
    pub(crate) fn shown(&self, fault: &Fault) -> Shown {
        let scope = match fault.scope {
            Scope::All => "all".to_owned(),
            Scope::Platform(slug) => format!("platform:{slug}"),
            Scope::Connection(at) => format!("connection:{}", self.connections[at].profile.id),
        };
        Shown { id: fault.id, kind: fault.kind, value: fault.value, scope, since: fault.since, until: fault.until }
    }

    /// Turns a fault on.
    pub(crate) fn add_fault(
        &mut self,
        kind: FaultKind,
        value: f64,
        scope: Scope,
        lasts: Option<Duration>,
        now: Moment,
    ) -> Shown {
        self.faults.last_id += 1;
        let until = lasts.map(|lasts| now + lasts);
        let fault = Fault { id: self.faults.last_id, kind, value, scope, since: now, until };
        self.enter_fault(fault, now);
        self.shown(&fault)
    }

    /// Turns on a fault that is already made.
    pub(crate) fn enter_fault(&mut self, fault: Fault, now: Moment) {
        if let Some(until) = fault.until {
            self.timers.set(until, Job::FaultEnds { id: fault.id });
        }
        self.faults.list.push(fault);
        if fault.kind == FaultKind::Outage {
            self.apply_outages(now);
        }
    }

    /// Turns one fault off, if it still is on.
    pub(crate) fn end_fault(&mut self, id: u64, now: Moment) -> bool {
        let before = self.faults.list.len();
        self.faults.list.retain(|fault| fault.id != id);
        let ended = self.faults.list.len() < before;
        if ended {
            self.apply_outages(now);
        }
        ended
    }

    /// Turns all faults off.
    pub(crate) fn end_faults(&mut self, now: Moment) {
        self.faults.list.clear();
        self.apply_outages(now);
    }

    /// Whether chance has it that this fault strikes this target now.
    pub(crate) fn strikes(&mut self, kind: FaultKind, target: Target) -> bool {
        let share = self.faults.worst(kind, target);
        share > 0.0 && self.dice.random_bool(share.min(1.0))
    }

    /// Whether the whole API is out.
    pub(crate) fn all_out(&self) -> bool {
        self.faults.list.iter().any(|fault| fault.kind == FaultKind::Outage && fault.scope == Scope::All)
    }

    /// Puts the connections under an outage offline and lets the others come back. An outage of everything is one of the
    /// API: it says nothing about the customers' systems.
    fn apply_outages(&mut self, now: Moment) {
        for at in 0..self.connections.len() {
            let target = self.target(at);
            let life = &self.connections[at].life;
            let out =
                life.connected() && self.faults.about(FaultKind::Outage, target).any(|fault| fault.scope != Scope::All);
            if !life.deleted && life.outage != out {
                self.set_reach(at, now, |life| life.outage = out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_by_kind() {
        assert!(FaultKind::ErrorRate.check(0.5).is_ok());
        assert!(FaultKind::ErrorRate.check(1.5).is_err());
        assert!(FaultKind::RateLimit.check(2.5).is_err());
        assert!(FaultKind::RateLimit.check(0.0).is_ok());
        assert!(FaultKind::Outage.check(0.0).is_err());
        assert!(FaultKind::LatencyMs.check(f64::NAN).is_err());
    }
}
