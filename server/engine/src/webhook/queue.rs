//! Webhooks that wait to be stored: answered in time, cut into statements, repeats put together.

use super::{accept::Accepted, budget::Place, sources::Known};
use crate::store::event::{Key, NewEvent};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Bytes of bodies in one statement: a batch of large ones is written in parts.
const STATEMENT_BYTES: usize = 8 << 20;
/// What is said to who waited as long as anybody waits.
const TOO_LATE: &str = "The database does not answer in time. Send it again in a moment.";

/// Why an event was not stored, in a sentence.
pub(super) type NotStored = String;

type Answer = Result<Accepted, NotStored>;

/// An event on its way into a batch.
pub(super) struct Waiting {
    pub source: Arc<Known>,
    pub event: NewEvent,
    pub answer: oneshot::Sender<Answer>,
    /// When its caller is told that it was not stored.
    deadline: Instant,
    /// Held as long as the event is.
    _place: Place,
}

/// Where events queue up.
pub(super) struct Queue {
    sender: mpsc::UnboundedSender<Waiting>,
    answer_within: Duration,
}

impl Queue {
    /// A queue whose callers wait no longer than this, and its other end. What is in it is bounded by who hands out places.
    pub fn new(answer_within: Duration) -> (Self, mpsc::UnboundedReceiver<Waiting>) {
        let (sender, waiting) = mpsc::unbounded_channel();
        (Self { sender, answer_within }, waiting)
    }

    /// Queues an event and waits until it is durable or refused.
    ///
    /// Who is refused because time is up may find it stored all the same: a batch that is under way is not called back. That
    /// is safe, as is a commit whose answer was lost: the same webhook sent again is a duplicate by its key and answered 200.
    /// What has no key cannot be told from a repeat anyway, and is marked so.
    pub async fn store(&self, source: Arc<Known>, event: NewEvent, place: Place) -> Answer {
        let deadline = Instant::now() + self.answer_within;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { source, event, answer, deadline, _place: place };
        let closing = || "Linewatch is shutting down. Send it again in a moment.".to_owned();
        self.sender.send(waiting).map_err(|_| closing())?;
        match tokio::time::timeout_at(deadline, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(closing())),
            Err(_) => Err(TOO_LATE.to_owned()),
        }
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

/// Lets go of those whose time is up: they were told to come again, and would only keep those behind them waiting.
pub(super) fn let_go(batch: &mut Vec<Waiting>) {
    let now = Instant::now();
    if batch.iter().any(|waiting| waiting.deadline <= now) {
        let (late, in_time): (Vec<_>, Vec<_>) =
            std::mem::take(batch).into_iter().partition(|waiting| waiting.deadline <= now);
        *batch = in_time;
        refuse(late, TOO_LATE);
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
        let key = waiting.event.key.map(|Key { key, .. }| key);
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
