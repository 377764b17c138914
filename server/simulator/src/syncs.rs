//! Syncs: when they start, how long they take, how they end, and what is then said about it.

use crate::clock::{self, Moment, between};
use crate::connection::{Failure, Profile, Run, Stage, SyncKind};
use crate::world::World;
use rand::Rng;
use serde_json::{Value, json};
use std::time::Duration;

/// Simulated seconds of an ordinary sync, from and to.
const LENGTH: (f64, f64) = (6.0, 170.0);
/// The first wait after a sync that did not reach its platform, simulated; doubles after each.
const FIRST_BACKOFF: Duration = Duration::from_secs(60);

impl World {
    /// Sets when a connection syncs next.
    pub(crate) fn schedule(&mut self, at: usize, due: Moment) {
        self.connections[at].life.next_sync = Some(due);
        self.arm(at, due);
    }

    /// Sets a connection's timer; the one before is void.
    pub(crate) fn arm(&mut self, at: usize, due: Moment) {
        self.disarm(at);
        self.timers.set(due, crate::timers::Job::Sync { at, turn: self.connections[at].turn });
    }

    /// Voids a connection's timer.
    pub(crate) fn disarm(&mut self, at: usize) {
        let connection = &mut self.connections[at];
        connection.turn = connection.turn.wrapping_add(1);
    }

    /// A connection's timer is due: its sync ends, or one begins.
    pub(crate) fn sync_due(&mut self, at: usize, now: Moment) {
        match self.connections[at].life.running {
            Some(_) => self.sync_completed(at, now),
            None => {
                let length = Duration::from_millis(self.connections[at].life.next_length_ms.into());
                self.start_sync(at, now, SyncKind::Incremental, length);
            }
        }
    }

    /// Starts a sync, or fails it at once when the platform cannot be reached. Where no sync can be, nothing happens.
    pub(crate) fn start_sync(&mut self, at: usize, now: Moment, kind: SyncKind, length: Duration) {
        let cadence = self.cadence(at);
        let life = &mut self.connections[at].life;
        if life.deleted || life.stalled || life.reauthorization_required || !life.connected() {
            return;
        }
        // The first sync takes everything, whatever was asked for.
        let kind = if life.stage == Stage::FirstSync { SyncKind::Full } else { kind };
        let run = Run { kind, started_at: now, ends_at: now + length };
        life.running = Some(run);
        life.next_sync = Some(now + cadence);
        life.updated_at = now;
        if life.offline() {
            self.sync_failed(at, now, Failure::Unreachable);
        } else {
            self.arm(at, run.ends_at);
        }
    }

    /// The running sync, or one that never was seen running, ends well.
    pub(crate) fn sync_completed(&mut self, at: usize, now: Moment) {
        let profile = std::sync::Arc::clone(&self.connections[at].profile);
        let run = self.take_run(at, now);
        self.plan_length(at);
        let share: f64 = self.dice.random_range(0.3..1.0);
        let due = self.after_good(at, now);
        let life = &mut self.connections[at].life;
        life.last_good = Some(now);
        life.last_full = run.kind == SyncKind::Full;
        life.last_failure = None;
        life.retries = 0;
        life.updated_at = now;
        let first = std::mem::replace(&mut life.stage, Stage::Live) == Stage::FirstSync;
        self.schedule(at, due);
        self.counters.syncs_completed += 1;
        self.emit(now, at, "sync.completed", |_| completed(&profile, run, now, share, first));
        self.tell_synced(at, run.kind, now);
    }

    /// The running sync, or one that never was seen running, fails.
    pub(crate) fn sync_failed(&mut self, at: usize, now: Moment, failure: Failure) {
        let run = self.take_run(at, now);
        self.plan_length(at);
        let cadence = self.cadence(at);
        let life = &mut self.connections[at].life;
        life.last_failure = Some(failure);
        life.updated_at = now;
        let length = Duration::from_millis(life.next_length_ms.into());
        let (retries, stalled) = (life.retries, life.stalled);
        match failure {
            // Until the customer signs in again there is nothing to try.
            Failure::Credentials => {
                life.next_sync = None;
                self.disarm(at);
            }
            Failure::Unreachable => {
                life.retries += 1;
                let wait = self.scale().real(FIRST_BACKOFF * 2_u32.pow(retries.min(16)));
                let wait = wait.min(self.options.sync_backoff_max).max(Duration::from_millis(200));
                self.schedule(at, now + wait);
            }
            Failure::Timeout | Failure::Source | Failure::Permission => {
                self.schedule(at, now + cadence.saturating_sub(length));
            }
        }
        if stalled {
            self.disarm(at);
        }
        self.counters.syncs_failed += 1;
        self.emit(now, at, "sync.failed", |profile| {
            json!({
                "type": run.kind,
                "started_at": clock::stamp(run.started_at),
                "failed_at": clock::stamp(now),
                "error": { "code": failure.code(), "message": failure.message(profile.platform) },
                "entities": profile.platform.entities(),
            })
        });
    }

    /// The moment of the next sync after a good one, so that the next good one comes within the cadence, a little early
    /// rather than late: a watcher that allows exactly one cadence is not to be fooled by our jitter.
    pub(crate) fn after_good(&mut self, at: usize, good: Moment) -> Moment {
        let cadence = self.cadence(at);
        let early = cadence.mul_f64(self.dice.random_range(0.0..0.04));
        let length = Duration::from_millis(self.connections[at].life.next_length_ms.into());
        good + cadence.saturating_sub(early).saturating_sub(length)
    }

    /// Draws how long the next sync will take; mostly short, never a large part of the cadence.
    pub(crate) fn plan_length(&mut self, at: usize) {
        let drawn: f64 = self.dice.random();
        let simulated = LENGTH.0 + (LENGTH.1 - LENGTH.0) * drawn.powi(3);
        let length = self.scale().real(Duration::from_secs_f64(simulated)).min(self.cadence(at) / 4);
        self.connections[at].life.next_length_ms = u32::try_from(length.as_millis()).unwrap_or(u32::MAX).max(1);
    }

    fn take_run(&mut self, at: usize, now: Moment) -> Run {
        let run = self.connections[at].life.running.take();
        run.unwrap_or(Run { kind: SyncKind::Incremental, started_at: now, ends_at: now })
    }
}

/// The details of a good sync: how many records of which entities.
fn completed(profile: &Profile, run: Run, now: Moment, share: f64, first: bool) -> Value {
    let volume = f64::from(profile.volume) * share * if first || run.kind == SyncKind::Full { 60.0 } else { 1.0 };
    let mut entities = serde_json::Map::new();
    let mut records = 0;
    for (place, entity) in profile.platform.entities().iter().enumerate() {
        // The first entity is the busiest; the conversion only cuts a fraction off.
        let count = (volume / (place as f64 * 1.7 + 1.0)) as u64;
        records += count;
        entities.insert((*entity).to_owned(), count.into());
    }
    json!({
        "type": run.kind,
        "started_at": clock::stamp(run.started_at),
        "finished_at": clock::stamp(now),
        "duration_ms": between(run.started_at, now).as_millis() as u64,
        "entities": entities,
        "records": records,
    })
}
