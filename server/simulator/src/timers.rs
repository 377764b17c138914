//! What is due when: one heap for everything, so that fifty thousand connections cost no task each.

use crate::clock::Moment;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Something to do at a moment. A job that was overtaken carries an old turn, ticket or epoch and is skipped when it comes up,
/// which is cheaper than looking for it in the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Start or finish the sync of a connection.
    Sync { at: usize, turn: u32 },
    /// Attempt a delivery.
    Deliver { seq: u64, ticket: u32 },
    /// Send a delivery a second time.
    Again { seq: u64 },
    /// A fault has lasted long enough.
    FaultEnds { id: u64 },
    /// The story goes on.
    Beat { epoch: u32, beat: Beat },
}

/// One step of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Somewhere, something goes wrong.
    Trouble,
    /// A webhook goes astray.
    Prank,
    /// What went wrong with this connection is mended.
    Repair(usize),
}

/// Jobs by due time; those due at the same moment in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    set: u64,
}

#[derive(Debug)]
struct Entry {
    due: Moment,
    order: u64,
    job: Job,
}

impl Timers {
    /// Sets a job.
    pub(crate) fn set(&mut self, due: Moment, job: Job) {
        self.set += 1;
        self.heap.push(Reverse(Entry { due, order: self.set, job }));
    }

    /// The next job that is due by now.
    pub(crate) fn pop(&mut self, now: Moment) -> Option<Job> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.job)
    }

    /// When the next job is due.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn jobs_come_up_in_order_and_never_early() {
        let moment = |second| DateTime::from_timestamp(second, 0).expect("a moment");
        let mut timers = Timers::default();
        timers.set(moment(2), Job::Again { seq: 3 });
        timers.set(moment(1), Job::Again { seq: 1 });
        timers.set(moment(1), Job::Again { seq: 2 });
        assert_eq!(timers.pop(moment(0)), None);
        assert_eq!(timers.pop(moment(1)), Some(Job::Again { seq: 1 }));
        assert_eq!(timers.pop(moment(1)), Some(Job::Again { seq: 2 }));
        assert_eq!(timers.pop(moment(1)), None);
        assert_eq!(timers.next(), Some(moment(2)));
    }
}
