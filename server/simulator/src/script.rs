//! The story: a calm, believable life. Every so often somebody somewhere changes a password, a platform goes away and comes
//! back, a sync fails or stalls, a webhook is lost, doubled, late or forged. Nothing that a person has acted upon is ever touched.

use crate::clock::{self, Moment};
use crate::connection::{Failure, Stage, SyncKind};
use crate::records::{Entity, Verb};
use crate::timers::{Beat, Job};
use crate::tokens::fresh;
use crate::webhooks::envelope;
use crate::world::World;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

/// The share of connections that are unwell when the story is in full swing.
const UNWELL: f64 = 0.03;
/// The first troubles: two changed passwords, soon after the start.
const OPENING: u32 = 2;
/// How often a free connection is looked for before giving up.
const LOOKS: usize = 64;

/// What becomes of the next webhook of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prank {
    Lost,
    Doubled,
    Late,
}

/// A trouble of the story, with the moment of its repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub(crate) at: usize,
    pub(crate) repair_at: Moment,
}

/// Where the story stands.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) running: bool,
    /// Beats of an older epoch are void.
    pub(crate) epoch: u32,
    pub(crate) troubles: BTreeMap<usize, Trouble>,
    pranks: HashMap<usize, Prank>,
    told: u32,
    dice: StdRng,
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            running: false,
            epoch: 0,
            troubles: BTreeMap::new(),
            pranks: HashMap::new(),
            told: 0,
            dice: StdRng::seed_from_u64(seed.wrapping_add(2)),
        }
    }

    /// A connection is no longer the story's business.
    pub(crate) fn forget(&mut self, at: usize) {
        self.troubles.remove(&at);
        self.pranks.remove(&at);
    }

    /// The prank that waits for this connection's next webhook.
    pub(crate) fn prank(&mut self, at: usize) -> Option<Prank> {
        self.pranks.remove(&at)
    }

    fn seconds(&mut self, range: Range<f64>) -> Duration {
        Duration::from_secs_f64(self.dice.random_range(range))
    }
}

impl World {
    /// The first cast: one that never finished signing in, one out of credits, two in their first sync.
    pub(crate) fn cast(&mut self, now: Moment) {
        let parts: &[Stage] = match self.connections.len() {
            0..8 => &[],
            8..20 => &[Stage::FirstSync],
            _ => &[Stage::Pending, Stage::NoCredits, Stage::FirstSync, Stage::FirstSync],
        };
        for &stage in parts {
            if let Some(at) = self.free_connection() {
                let minutes = self.story.seconds(20.0 * 60.0..50.0 * 60.0);
                let first_sync = self.scale().real(minutes);
                self.place(at, stage, now, first_sync);
            }
        }
    }

    /// Sets the story going.
    pub(crate) fn start_story(&mut self, now: Moment) {
        if self.story.running {
            return;
        }
        self.story.running = true;
        self.story.told = 0;
        self.next_beat(Beat::Trouble, now + Duration::from_secs(3));
        let prank = self.story.seconds(12.0..25.0);
        self.next_beat(Beat::Prank, now + prank);
    }

    /// Freezes the story: nothing more happens by itself, and all that nobody acted upon settles as healthy, with a good
    /// sync within the next seconds to prove it.
    pub(crate) fn stop_story(&mut self, now: Moment) {
        self.story.running = false;
        self.story.epoch += 1;
        self.story.troubles.clear();
        self.story.pranks.clear();
        for at in 0..self.connections.len() {
            let life = &self.connections[at].life;
            let unwell = life.stage != Stage::Live
                || life.reauthorization_required
                || life.held_offline
                || life.stalled
                || life.last_failure.is_some();
            if !unwell || life.touched || life.deleted {
                continue;
            }
            self.mend(at, now);
            let soon = Duration::from_millis(self.story.dice.random_range(300..2_000));
            let life = &mut self.connections[at].life;
            if life.running.is_none() && !life.offline() {
                self.schedule(at, now + soon);
            }
        }
    }

    /// The story goes on.
    pub(crate) fn beat(&mut self, beat: Beat, now: Moment) {
        match beat {
            Beat::Trouble => self.make_trouble(now),
            Beat::Prank => self.play_prank(now),
            Beat::Repair(at) => {
                if self.story.troubles.remove(&at).is_some() {
                    self.mend(at, now);
                }
            }
        }
    }

    /// Sets up the repair of a trouble.
    pub(crate) fn plan_repair(&mut self, trouble: Trouble) {
        self.story.troubles.insert(trouble.at, trouble);
        self.next_beat(Beat::Repair(trouble.at), trouble.repair_at);
    }

    fn next_beat(&mut self, beat: Beat, due: Moment) {
        self.timers.set(due, Job::Beat { epoch: self.story.epoch, beat });
    }

    /// Lets as many things go wrong as are missing to the usual share, a few at a time, and comes back.
    fn make_trouble(&mut self, now: Moment) {
        let usual = (self.alive as f64 * UNWELL).round() as usize;
        let usual = usual.max(match self.alive {
            0..4 => 0,
            4..20 => 1,
            _ => OPENING as usize,
        });
        let missing = usual.saturating_sub(self.story.troubles.len());
        for _ in 0..missing.min((usual / 8).max(1)) {
            let Some(at) = self.free_connection() else { break };
            self.trouble(at, now);
        }
        let wait = if self.story.troubles.len() * 2 < usual { 3.0..6.0 } else { 9.0..16.0 };
        let wait = self.story.seconds(wait);
        self.next_beat(Beat::Trouble, now + wait);
    }

    fn trouble(&mut self, at: usize, now: Moment) {
        let kind = if self.story.told < OPENING { 0 } else { self.story.dice.random_range(0..100) };
        self.story.told += 1;
        self.counters.story_beats += 1;
        match self.story.dice.random_range(0..20) {
            0 => drop(self.story.pranks.insert(at, Prank::Lost)),
            1 => drop(self.story.pranks.insert(at, Prank::Doubled)),
            2 => drop(self.story.pranks.insert(at, Prank::Late)),
            _ => {}
        }
        let lasts = match kind {
            0..36 => {
                self.change_credentials(at, now);
                self.story.seconds(60.0..180.0)
            }
            36..58 => {
                self.set_reach(at, now, |life| life.held_offline = true);
                self.story.seconds(25.0..90.0)
            }
            58..86 => {
                let causes = [Failure::Timeout, Failure::Source, Failure::Source, Failure::Permission];
                let cause = causes[self.story.dice.random_range(0..causes.len())];
                self.fail_sync(at, now, cause);
                self.story.seconds(35.0..90.0).min(self.cadence(at) + Duration::from_secs(5))
            }
            _ => {
                self.stall_sync(at);
                self.cadence(at).min(Duration::from_secs(60)) * 2 + self.story.seconds(20.0..90.0)
            }
        };
        self.plan_repair(Trouble { at, repair_at: now + lasts });
    }

    /// Whatever the story did to a connection is undone.
    fn mend(&mut self, at: usize, now: Moment) {
        let life = self.connections[at].life;
        if life.touched || life.deleted {
            return;
        }
        match life.stage {
            Stage::Pending | Stage::NoCredits | Stage::FirstSync => {
                let life = &mut self.connections[at].life;
                (life.stage, life.running, life.updated_at) = (Stage::Live, None, now);
            }
            Stage::Live => {}
        }
        self.set_reach(at, now, |life| life.held_offline = false);
        if life.reauthorization_required {
            self.reconnect(at, now);
        } else if life.stalled || (life.last_failure.is_some() && !life.offline() && life.running.is_none()) {
            let life = &mut self.connections[at].life;
            life.stalled = false;
            let length = Duration::from_millis(life.next_length_ms.into());
            self.start_sync(at, now, SyncKind::Incremental, length);
        }
    }

    fn play_prank(&mut self, now: Moment) {
        if let Some(at) = self.free_connection() {
            self.counters.story_beats += 1;
            match self.story.dice.random_range(0..10) {
                0..3 => drop(self.story.pranks.insert(at, Prank::Lost)),
                3..5 => drop(self.story.pranks.insert(at, Prank::Doubled)),
                5..7 => drop(self.story.pranks.insert(at, Prank::Late)),
                7..9 => self.forge(at, now),
                _ if self.counters.story_beats.is_multiple_of(2) => self.refused_change(at, now),
                _ => self.system_error(at, now),
            }
        }
        let wait = self.story.seconds(15.0..35.0);
        self.next_beat(Beat::Prank, now + wait);
    }

    /// Somebody who does not know the secret claims that a healthy connection is broken.
    fn forge(&mut self, at: usize, now: Moment) {
        if self.outbox.url.is_some() {
            let data = json!({ "reason": "credentials_changed" });
            let id = &self.connections[at].profile.id;
            let body = envelope(&fresh("evt_"), "connection.reauthorization_required", now, id, &data);
            self.outbox.stray(body);
        }
    }

    fn system_error(&mut self, at: usize, now: Moment) {
        self.emit(now, at, "system.error", |profile| {
            json!({
                "error": {
                    "code": "INTERNAL_ERROR",
                    "message": format!("3 {} were skipped: a required field has no mapping", profile.platform.entities()[0]),
                },
                "entities": [profile.platform.entities()[0]],
                "occurred_at": clock::stamp(now),
            })
        });
    }

    /// Somebody's application was refused a change to an order: what the API answered it is told by webhook too.
    fn refused_change(&mut self, at: usize, now: Moment) {
        let (error, status) = match self.allow(at, Entity::PurchaseOrders, Verb::Update) {
            Err(error) => (error.part(), 405),
            Ok(()) => {
                let message = "the purchase order is approved and takes no changes any more";
                (json!({ "code": "RECORD_LOCKED", "message": message }), 409)
            }
        };
        let occurred_at = clock::stamp(now);
        self.emit(now, at, "system.error", |_| {
            json!({
                "error": error,
                "status_code": status,
                "operation": "update",
                "entities": ["purchase_orders"],
                "occurred_at": occurred_at,
            })
        });
    }

    /// A connection with which nothing is wrong and which nobody acted upon.
    fn free_connection(&mut self) -> Option<usize> {
        if self.connections.is_empty() {
            return None;
        }
        (0..LOOKS).find_map(|_| {
            let at = self.story.dice.random_range(0..self.connections.len());
            let life = &self.connections[at].life;
            (life.well() && !life.touched && !self.story.troubles.contains_key(&at)).then_some(at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::actions::Action;
    use crate::outbox::Attempt;
    use std::collections::HashSet;

    /// Lets the time of a demo pass, every webhook arriving at once, and looks at the world once a second.
    fn live(world: &mut World, start: Moment, seconds: u64, mut look: impl FnMut(&World, u64)) {
        let (mut now, mut second) = (start, 0);
        while second < seconds {
            let (sends, next) = world.advance(now);
            for send in &sends {
                let attempt = Attempt { at: now, status: Some(200), error: None, duration_ms: 1 };
                world.attempted(send.delivery, attempt, now);
            }
            let tick = start + Duration::from_secs(second);
            if now >= tick {
                look(world, second);
                second += 1;
            }
            let due = if sends.is_empty() { next.unwrap_or(tick) } else { now };
            now = due.min(start + Duration::from_secs(second)).max(now);
        }
    }

    fn demo() -> Options {
        Options {
            webhook_url: Some("http://127.0.0.1:9/".to_owned()),
            max_cadence: Duration::from_secs(30 * 60),
            sync_backoff_max: Duration::from_secs(30),
            ..Options::default()
        }
    }

    #[test]
    fn half_an_hour_of_a_demo_is_calm_and_never_dull() {
        let start = clock::now();
        let mut world = World::new(demo(), start);
        world.begin(start);
        world.act(0, Action::GoOffline, start).expect("can be");
        let mut unwell = Vec::new();
        let (mut asked_to_sign_in, mut kinds) = (0, HashSet::new());
        live(&mut world, start, 1_800, |world, second| {
            let lives = || world.connections.iter().map(|one| &one.life).filter(|life| !life.touched);
            if second == 20 {
                asked_to_sign_in = lives().filter(|life| life.reauthorization_required).count();
            }
            if second > 120 {
                unwell.push(lives().filter(|life| !life.well()).count());
            }
            kinds.extend(lives().map(|life| (life.status(), life.stalled)));
            assert!(world.connections[0].life.touched && world.connections[0].life.held_offline);
            assert_eq!(world.alive, 250);
        });
        assert!(asked_to_sign_in >= 2, "{asked_to_sign_in} of the reauthorization kind after 20 s");
        let mean = unwell.iter().sum::<usize>() as f64 / unwell.len() as f64;
        assert!((5.0..=11.0).contains(&mean), "2 to 4 % are unwell: {mean} of 250");
        assert!(unwell.iter().all(|&count| (2..=16).contains(&count)), "never none, never a crowd");
        for seen in [("error", false), ("offline", false), ("active", true), ("synchronizing", false)] {
            assert!(kinds.contains(&seen), "{seen:?} was never seen");
        }
        let beats = world.counters.story_beats;
        assert!((1_800 / 20..1_800 / 6).contains(&beats), "something every 10 to 20 s: {beats} in half an hour");
        assert!(world.counters.webhooks_dropped > 0 && world.counters.webhooks_duplicated > 0);
        assert!(world.counters.webhooks_delayed > 0 && world.counters.webhooks_badly_signed > 0);
    }

    #[test]
    fn good_syncs_come_again_within_the_cadence() {
        let start = clock::now();
        let mut world = World::new(Options { story: false, ..demo() }, start);
        world.begin(start);
        live(&mut world, start, 300, |world, _| {
            assert!(world.connections.iter().all(|one| one.life.well()), "without a story nobody is unwell");
        });
        let mut last: HashMap<String, Moment> = HashMap::new();
        let mut checked = 0;
        for one in world.outbox.log.values().filter(|one| one.event == "sync.completed") {
            if let Some(before) = last.insert(one.connection_id.clone(), one.created_at) {
                let at = world.find(&one.connection_id).expect("there");
                assert!(clock::between(before, one.created_at) <= world.cadence(at), "late by our own doing");
                checked += 1;
            }
        }
        assert!(checked > 250 * 9, "{checked} pairs");
        assert_eq!(world.counters.syncs_failed, 0);
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let start = clock::now();
        let told = || {
            let mut world = World::new(demo(), start);
            world.begin(start);
            let mut seen = Vec::new();
            live(&mut world, start, 300, |world, _| seen.push(world.story.troubles.clone()));
            seen
        };
        assert_eq!(told(), told());
    }
}
