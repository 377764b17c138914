//! What survives a restart. The state is copied under the lock, which takes a moment even for tens of thousands of
//! connections, and is put into words and written on another thread; the file is replaced whole, so it is never half.

use crate::added::Added;
use crate::clock::Moment;
use crate::connection::{Life, Notes};
use crate::faults::{Fault, Shown};
use crate::outbox::{Delivery, DeliveryStatus};
use crate::records::Kept;
use crate::script::Trouble;
use crate::shared::Shared;
use crate::tokens::Tokens;
use crate::world::World;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const NAME: &str = "simulator.json";
/// A file of another format is as good as none.
const FORMAT: u32 = 1;
/// Not more often than this, and with saves that take long, not more than a twentieth of the time.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The newest deliveries that are pending or failed.
const MOST_DELIVERIES: usize = 5_000;

/// What is written.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    format: u32,
    seed: u64,
    webhook_url: Option<String>,
    webhook_secret: String,
    tokens: Tokens,
    /// Connections that are not drawn from the seed; their lives come last.
    #[serde(default)]
    added: Vec<Added>,
    lives: Vec<Life>,
    #[serde(default)]
    notes: Vec<(usize, Notes)>,
    faults: Vec<Shown>,
    last_fault_id: u64,
    troubles: Vec<Trouble>,
    deliveries: Vec<Delivery>,
    #[serde(default)]
    records: Vec<Kept>,
}

impl World {
    /// Copies what is to survive.
    fn save(&self) -> Saved {
        let open = |one: &&Delivery| matches!(one.status, DeliveryStatus::Pending | DeliveryStatus::Failed);
        let mut deliveries: Vec<_> =
            self.outbox.log.values().rev().filter(open).take(MOST_DELIVERIES).cloned().collect();
        deliveries.reverse();
        let noted = self.connections.iter().enumerate().filter(|(_, one)| !one.notes.is_empty());
        Saved {
            format: FORMAT,
            seed: self.options.seed,
            webhook_url: self.outbox.url.clone(),
            webhook_secret: self.outbox.secret.clone(),
            tokens: self.tokens.clone(),
            added: self.added(),
            lives: self.connections.iter().map(|one| one.life).collect(),
            notes: noted.map(|(at, one)| (at, one.notes.as_ref().clone())).collect(),
            faults: self.faults.list.iter().map(|fault| self.shown(fault)).collect(),
            last_fault_id: self.faults.last_id,
            troubles: self.story.troubles.values().copied().collect(),
            deliveries,
            records: self.ledger.save(),
        }
    }

    /// Goes on where a saved world stopped, as if the platforms had not noticed the pause. Whether there is a story, and
    /// a URL for webhooks if one is given, is for the options to say.
    pub(crate) fn restore(&mut self, saved: Saved, now: Moment) {
        if self.options.webhook_url.is_none() {
            self.outbox.url = saved.webhook_url;
            self.outbox.secret = saved.webhook_secret;
        }
        self.tokens = saved.tokens;
        self.ledger = saved.records.into_iter().collect();
        for added in saved.added {
            self.join(added);
        }
        for (at, notes) in saved.notes {
            if let Some(one) = self.connections.get_mut(at) {
                one.notes = notes.into();
            }
        }
        for (at, life) in saved.lives.into_iter().enumerate() {
            let Some(one) = self.connections.get_mut(at) else { break };
            one.life = life;
            self.alive -= usize::from(life.deleted);
            self.resume(at, now);
        }
        self.faults.last_id = saved.last_fault_id;
        for shown in saved.faults {
            if let Ok(scope) = self.scope(&shown.scope) {
                let Shown { id, kind, value, since, until, .. } = shown;
                self.enter_fault(Fault { id, kind, value, scope, since, until }, now);
            }
        }
        for delivery in saved.deliveries {
            let due = delivery.next_attempt_at.filter(|_| delivery.status == DeliveryStatus::Pending);
            let seq = self.outbox.keep(delivery);
            if let Some(due) = due {
                self.timers.set(due, crate::timers::Job::Deliver { seq, ticket: 0 });
            }
        }
        if self.options.story {
            saved.troubles.into_iter().for_each(|trouble| self.plan_repair(trouble));
            self.start_story(now);
        } else {
            self.stop_story(now);
        }
    }

    fn resume(&mut self, at: usize, now: Moment) {
        let cadence = self.cadence(at);
        let share: f64 = self.dice.random();
        let life = &mut self.connections[at].life;
        if life.deleted || life.stalled || life.reauthorization_required || !life.connected() {
            return;
        }
        if let Some(run) = life.running {
            let due = run.ends_at.max(now + Duration::from_secs_f64(2.0 * share));
            self.arm(at, due);
            return;
        }
        // While nobody looked, what was well went on syncing.
        if life.well() && life.next_sync.is_some_and(|due| due < now) {
            let good = now - cadence.mul_f64(share);
            life.last_good = Some(life.last_good.map_or(good, |last| last.max(good)));
            let due = self.after_good(at, good).max(now);
            self.schedule(at, due);
            return;
        }
        let soon = now + cadence.min(Duration::from_secs(5)).mul_f64(share);
        let due = life.next_sync.map_or(soon, |due| if due < now { soon } else { due });
        self.schedule(at, due);
    }
}

/// Reads a saved world of this seed and size; anything else is as good as none.
pub(crate) fn load(directory: &Path, seed: u64, connections: usize) -> Option<Saved> {
    let bytes = fs::read(directory.join(NAME)).ok()?;
    let saved: Saved = match serde_json::from_slice(&bytes) {
        Ok(saved) => saved,
        Err(error) => {
            tracing::warn!(%error, "the simulator's state cannot be read and is begun anew");
            return None;
        }
    };
    (saved.format == FORMAT && saved.seed == seed && saved.lives.len() == connections + saved.added.len())
        .then_some(saved)
}

/// Saves whenever something changed, until stopped, and then once more.
pub(crate) async fn run(shared: Shared, directory: PathBuf, stop: CancellationToken) {
    let mut pause = PAUSE;
    loop {
        let stopped = tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = stop.cancelled() => true,
        };
        if shared.take_changed() || stopped {
            let took = save(&shared, directory.clone()).await;
            pause = (took * 20).clamp(PAUSE, LONGEST_PAUSE);
        }
        if stopped {
            return;
        }
    }
}

async fn save(shared: &Shared, directory: PathBuf) -> Duration {
    let started = Instant::now();
    let saved = shared.read(World::save);
    match tokio::task::spawn_blocking(move || write(&directory, &saved)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the simulator's state could not be saved"),
        Err(error) => tracing::warn!(%error, "saving the simulator's state was cut off"),
    }
    started.elapsed()
}

/// Replaces the file by a new one that only its owner may read: there are tokens in it.
fn write(directory: &Path, saved: &Saved) -> io::Result<()> {
    let temporary = directory.join(format!("{NAME}.new"));
    let file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    let mut writer = BufWriter::with_capacity(1 << 16, file);
    serde_json::to_writer(&mut writer, saved)?;
    writer.flush()?;
    drop(writer);
    fs::rename(temporary, directory.join(NAME))
}

/// Makes sure that the directory is there.
pub(crate) fn prepare(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::actions::Action;
    use crate::clock::{self, between};

    #[test]
    fn a_world_goes_on_where_it_stopped() {
        let now = clock::now();
        let options = Options { connections: 40, story: false, ..Options::default() };
        let mut before = World::new(options.clone(), now);
        before.begin(now);
        before.act(3, Action::ChangeCredentials, now).expect("can be");
        before.act(4, Action::Delete, now).expect("can be");
        let token = before.tokens.issue(5, now);
        let words = serde_json::to_vec(&before.save()).expect("words");

        let later = now + Duration::from_secs(3600);
        let mut after = World::new(options, later);
        after.restore(serde_json::from_slice(&words).expect("the same words"), later);
        assert!(after.connections[3].life.reauthorization_required && after.connections[3].life.touched);
        assert!(after.find(&after.connections[4].profile.id).is_none());
        assert_eq!(after.alive, 39);
        assert_eq!(after.tokens.holder(&token, now), before.tokens.holder(&token, now));
        let healthy = &after.connections[6].life;
        let cadence = after.cadence(6);
        assert!(between(healthy.last_good.expect("a sync"), later) <= cadence, "nobody is late after a pause");
    }
}
