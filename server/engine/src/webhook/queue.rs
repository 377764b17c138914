//! Webhooks that wait to be stored: bounded in bytes, cut into statements, repeats put together.

use super::{accept::Accepted, sources::Known};
use crate::store::event::{Key, NewEvent};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot};

/// What a waiting event weighs beside its body.
const OVERHEAD: usize = 512;
/// Bytes of bodies in one statement: a batch of large ones is written in parts.
const STATEMENT_BYTES: usize = 8 << 20;

/// Why an event was not stored, in a sentence.
pub(super) type NotStored = String;

type Answer = Result<Accepted, NotStored>;

/// An event on its way into a batch.
pub(super) struct Waiting {
    pub source: Arc<Known>,
    pub event: NewEvent,
    pub answer: oneshot::Sender<Answer>,
    _weight: Weight,
}

/// Bytes in flight, given back when dropped.
struct Weight {
    bytes: usize,
    all: Arc<AtomicUsize>,
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Where events queue up.
pub(super) struct Queue {
    sender: mpsc::UnboundedSender<Waiting>,
    in_flight: Arc<AtomicUsize>,
    most_in_flight: usize,
}

impl Queue {
    /// A queue that takes so many bytes, and its other end.
    pub fn new(most_in_flight: usize) -> (Self, mpsc::UnboundedReceiver<Waiting>) {
        let (sender, waiting) = mpsc::unbounded_channel();
        (Self { sender, in_flight: Arc::default(), most_in_flight }, waiting)
    }

    /// Queues an event and waits until it is durable, or certainly refused.
    pub async fn store(&self, source: Arc<Known>, event: NewEvent) -> Answer {
        let weight = Weight { bytes: event.body.len() + OVERHEAD, all: Arc::clone(&self.in_flight) };
        if self.in_flight.fetch_add(weight.bytes, Ordering::Relaxed) + weight.bytes > self.most_in_flight {
            return Err("Too many webhooks are waiting to be stored. Send it again in a moment.".to_owned());
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { source, event, answer, _weight: weight };
        let closing = || "Linewatch is shutting down. Send it again in a moment.".to_owned();
        self.sender.send(waiting).map_err(|_| closing())?;
        answered.await.unwrap_or_else(|_| Err(closing()))
    }
}

/// The same event, once or several times in one batch.
pub(super) struct Group {
    pub first: Waiting,
    pub again: Vec<Waiting>,
}

/// Refuses all of these.
pub(super) fn refuse(all: Vec<Waiting>, why: &str) {
    for waiting in all {
        let _ = waiting.answer.send(Err(why.to_owned()));
    }
}

/// Takes from the front as much as fits into one statement, and at least one.
pub(super) fn part(batch: &mut Vec<Waiting>) -> Vec<Waiting> {
    let mut bytes = 0;
    let fits = batch.iter().take_while(|waiting| {
        bytes += waiting.event.body.len();
        bytes <= STATEMENT_BYTES
    });
    let length = fits.count().clamp(1, batch.len());
    batch.drain(..length).collect()
}

/// Puts together what has the same key; what has none stands alone.
pub(super) fn group(part: Vec<Waiting>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(part.len());
    let mut seen = HashMap::with_capacity(part.len());
    for waiting in part {
        let key = waiting.event.key.map(|Key { key, .. }| (waiting.event.source, key));
        match key.and_then(|key| seen.get(&key).copied()) {
            Some(at) => {
                let group: &mut Group = &mut groups[at];
                group.again.push(waiting);
            }
            None => {
                if let Some(key) = key {
                    seen.insert(key, groups.len());
                }
                groups.push(Group { first: waiting, again: Vec::new() });
            }
        }
    }
    groups
}
