//! Everything the simulator knows, and the one step that moves it. Nothing in here waits, sends or reads a clock: whoever
//! calls hands in the time, so days can pass in a test without a sleep.

use crate::Options;
use crate::clock::{Moment, Scale};
use crate::codes::Codes;
use crate::connection::{Connection, Life, Run, Seen, Stage, SyncKind};
use crate::customers;
use crate::faults::{Faults, Target};
use crate::limits::Limits;
use crate::outbox::{Outbox, Send};
use crate::records::Ledger;
use crate::script::Story;
use crate::timers::{Job, Timers};
use crate::tokens::Tokens;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// However fast the time, no connection syncs more often than this.
const SHORTEST_CADENCE: Duration = Duration::from_millis(250);

/// What has happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// API requests, the control door's not among them.
    pub requests: u64,
    /// Of these, answered with 500 or 503 by a fault.
    pub requests_failed_by_fault: u64,
    /// Of these, answered with 429.
    pub rate_limited: u64,
    /// Token pairs given out at `/link/token`.
    pub token_pairs: u64,
    /// Tokens given out for a connection.
    pub connection_tokens: u64,
    /// Good syncs.
    pub syncs_completed: u64,
    /// Failed syncs.
    pub syncs_failed: u64,
    /// Events for which a delivery was made.
    pub webhooks_queued: u64,
    /// Events that had nowhere to go.
    pub webhooks_without_url: u64,
    /// Tries to send one.
    pub webhook_attempts: u64,
    /// Deliveries answered with 200.
    pub webhooks_delivered: u64,
    /// Deliveries given up.
    pub webhooks_failed: u64,
    /// Events lost on purpose.
    pub webhooks_dropped: u64,
    /// Events sent twice on purpose.
    pub webhooks_duplicated: u64,
    /// Events held back on purpose.
    pub webhooks_delayed: u64,
    /// Sent with a wrong signature on purpose, events of nobody's making among them.
    pub webhooks_badly_signed: u64,
    /// Things that the story made happen.
    pub story_beats: u64,
}

/// Everything the simulator knows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) connections: Vec<Connection>,
    pub(crate) by_key: HashMap<String, usize>,
    /// How many are not deleted.
    pub(crate) alive: usize,
    pub(crate) timers: Timers,
    pub(crate) outbox: Outbox,
    pub(crate) tokens: Tokens,
    pub(crate) codes: Codes,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    /// What was written to the platforms.
    pub(crate) ledger: Ledger,
    pub(crate) story: Story,
    pub(crate) counters: Counters,
    pub(crate) dice: StdRng,
}

impl World {
    /// A world as it is before anything happened; `begin` or `restore` sets it going.
    pub(crate) fn new(options: Options, now: Moment) -> Self {
        let connections: Vec<_> = customers::draw(options.seed, options.connections)
            .into_iter()
            .map(|profile| Connection { profile, life: Life::new(now), notes: Arc::default(), turn: 0 })
            .collect();
        Self {
            by_key: connections.iter().enumerate().map(|(at, one)| (one.profile.id.clone(), at)).collect(),
            alive: connections.len(),
            connections,
            timers: Timers::default(),
            outbox: Outbox::new(options.webhook_url.clone(), options.webhook_secret.clone()),
            tokens: Tokens::default(),
            codes: Codes::default(),
            limits: Limits::default(),
            faults: Faults::default(),
            ledger: Ledger::default(),
            story: Story::new(options.seed),
            counters: Counters::default(),
            dice: StdRng::seed_from_u64(options.seed.wrapping_add(1)),
            options,
        }
    }

    /// The first morning: all healthy, their last good syncs spread over their cadences, and some of the story's first
    /// cast when there is a story.
    pub(crate) fn begin(&mut self, now: Moment) {
        for at in 0..self.connections.len() {
            self.plan_length(at);
            let cadence = self.cadence(at);
            let connection = &mut self.connections[at];
            let phase = cadence.mul_f64(connection.profile.phase);
            let life = &mut connection.life;
            life.last_good = Some(now - phase);
            life.updated_at = now - phase;
            let due = self.after_good(at, now - phase).max(now + cadence.mul_f64(0.02 * self.dice.random::<f64>()));
            self.schedule(at, due);
        }
        if self.options.story {
            self.cast(now);
            self.start_story(now);
        }
    }

    /// Puts a connection into its first sync, or into a stage without any.
    pub(crate) fn place(&mut self, at: usize, stage: Stage, now: Moment, running_for: Duration) {
        self.disarm(at);
        let life = &mut self.connections[at].life;
        life.stage = stage;
        life.next_sync = None;
        match stage {
            Stage::Pending => (life.last_good, life.updated_at) = (None, now - Duration::from_secs(5 * 3600)),
            Stage::NoCredits => {
                let then = now - Duration::from_secs(3 * 86_400);
                (life.last_good, life.updated_at) = (Some(then), then);
            }
            Stage::FirstSync => {
                life.last_good = None;
                let ends_at = now + running_for;
                life.running = Some(Run { kind: SyncKind::Full, started_at: now, ends_at });
                self.arm(at, ends_at);
            }
            Stage::Live => {}
        }
    }

    /// Does what is due, and says what is to be sent and when to come back.
    pub(crate) fn advance(&mut self, now: Moment) -> (Vec<Send>, Option<Moment>) {
        while let Some(job) = self.timers.pop(now) {
            match job {
                Job::Sync { at, turn } if self.connections[at].turn == turn => self.sync_due(at, now),
                Job::Sync { .. } => {}
                Job::Deliver { seq, ticket } => self.outbox.due(seq, ticket),
                Job::Again { seq } => self.outbox.due_again(seq),
                Job::FaultEnds { id } => {
                    self.end_fault(id, now);
                }
                Job::Beat { epoch, beat } if epoch == self.story.epoch => self.beat(beat, now),
                Job::Beat { .. } => {}
            }
        }
        (self.take_sends(), self.timers.next())
    }

    /// The connection of this key, unless it is gone.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        self.by_key.get(key).copied().filter(|&at| !self.connections[at].life.deleted)
    }

    /// How durations pass.
    pub(crate) fn scale(&self) -> Scale {
        Scale(self.options.time_scale)
    }

    /// The real time between two good syncs of a connection.
    pub(crate) fn cadence(&self, at: usize) -> Duration {
        let simulated = self.connections[at].profile.cadence.min(self.options.max_cadence);
        self.scale().real(simulated).max(SHORTEST_CADENCE)
    }

    /// What a fault's scope is compared with.
    pub(crate) fn target(&self, at: usize) -> Target {
        Target { connection: Some(at), platform: Some(self.connections[at].profile.platform.slug) }
    }

    /// A connection as it is now.
    pub(crate) fn seen(&self, at: usize) -> Seen {
        let Connection { profile, life, notes, .. } = &self.connections[at];
        Seen { profile: Arc::clone(profile), life: *life, notes: Arc::clone(notes), cadence: self.cadence(at) }
    }

    /// All connections that are not gone, from one place in the list on.
    pub(crate) fn alive_from(&self, first: usize) -> impl Iterator<Item = usize> {
        (first..self.connections.len()).filter(|&at| !self.connections[at].life.deleted)
    }
}
