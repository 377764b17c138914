//! Lets go what was asked to be tried again, at its pace. A step is one short transaction that holds its retry, so that any
//! number of processes may work on them, that a process which is killed has let nothing go twice, and that whoever pauses or
//! cancels waits for one step at most. What was let go by then is tried; nothing after it is.

use super::Step;
use crate::clock::SharedClock;
use crate::live;
use crate::store::retry::{self, DueRetry, Released};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Change, ChangeTopic, EventId};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Few rows by their keys: a plan that reads a whole day of events is never right, whatever the statistics say, and one plan does
/// for every step.
const BEGIN: &str = "begin; set local statement_timeout = '5s'; set local enable_hashjoin = off; \
                     set local enable_mergejoin = off; set local plan_cache_mode = force_generic_plan";
/// From one step to the next.
const STEP: TimeDelta = TimeDelta::milliseconds(250);
/// The same, while nothing moves and all that is left is under way.
const WATCH: TimeDelta = TimeDelta::seconds(1);

/// Works on retries. Cheap to clone.
#[derive(Clone)]
pub struct RetryWorker {
    pool: PgPool,
    clock: SharedClock,
    events: Arc<Notify>,
}

impl RetryWorker {
    /// A worker; `events` is notified when events became due. For deliveries and messages the announcement does the same.
    pub fn new(pool: PgPool, clock: SharedClock, events: Arc<Notify>) -> Self {
        Self { pool, clock, events }
    }

    /// Does the next step of whichever is due; with none due, waits for the one that soon is.
    pub async fn keep_pace(&self) -> Result<Step, sqlx::Error> {
        if self.step().await? == Step::Busy {
            return Ok(Step::Busy);
        }
        let due_at = retry::next_due(&mut *self.pool.acquire().await?).await?;
        let wait = due_at.map(|at| at - self.clock.now()).filter(|wait| *wait <= STEP);
        let Some(wait) = wait else { return Ok(Step::Idle) };
        // one that another process works on right now is due as well
        tokio::time::sleep(wait.to_std().unwrap_or_default().max(Duration::from_millis(10))).await;
        Ok(Step::Busy)
    }

    /// Does the next step of the one that is due longest.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        let now = self.clock.now();
        let mut tx = self.pool.begin_with(BEGIN).await?;
        let Some(due) = retry::claim(&mut tx, now).await? else {
            tx.rollback().await?;
            return Ok(Step::Idle);
        };
        let (most, wait) = pace(due.rate);
        let released = retry::release(&mut tx, &due, most, now).await?;
        let progress = retry::progress(&mut tx, due.id).await?;
        let moved = released.taken > 0 || progress.under_way != due.under_way;
        let next_at = match (progress.waits, progress.under_way) {
            (true, _) => Some(next(due.due_at, wait, now)),
            (false, 0) => None,
            (false, _) => Some(now + if moved { STEP } else { WATCH }),
        };
        let version =
            retry::turn(&mut tx, due.id, progress.under_way, moved || next_at.is_none(), next_at, now).await?;
        if moved || next_at.is_none() {
            live::announce(&mut tx, &changes(&due, version, &released)).await?;
        }
        tx.commit().await?;
        if !released.events.is_empty() {
            self.events.notify_one();
        }
        Ok(Step::Busy)
    }
}

fn changes(due: &DueRetry, version: i64, released: &Released) -> Vec<Change> {
    let mut changes = live::of_events(released.events.iter().map(|id| EventId(*id)), 0);
    if !released.deliveries.is_empty() {
        changes.push(Change::many(ChangeTopic::Delivery));
    }
    if !released.notifications.is_empty() {
        changes.push(Change::many(ChangeTopic::Notification));
    }
    changes.push(Change::new(ChangeTopic::Retry, due.id, version));
    changes
}

/// How many go at a step, and how long after it the next is due.
fn pace(rate: u32) -> (i64, TimeDelta) {
    match i64::from(rate.max(1)) {
        rate @ ..4 => (1, TimeDelta::milliseconds(1_000 / rate)),
        rate => (rate * STEP.num_milliseconds() / 1_000, STEP),
    }
}

/// When the next step is due: in time, but never more than one step behind, so that a pause of ours is not made up in a rush.
fn next(due_at: DateTime<Utc>, wait: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    (due_at + wait).max(now - wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_second_sees_more_than_its_rate_and_hardly_less(rate in 1u32..=10_000) {
            let (most, wait) = pace(rate);
            let in_a_minute = most * 60_000 / wait.num_milliseconds();
            prop_assert!(wait <= TimeDelta::seconds(1));
            prop_assert!(in_a_minute <= i64::from(rate) * 61, "{in_a_minute}");
            prop_assert!(in_a_minute * 4 >= i64::from(rate) * 60 * 2, "{in_a_minute}");
        }

        #[test]
        fn what_was_slept_through_is_not_made_up(late in 0i64..100_000) {
            let due_at = DateTime::UNIX_EPOCH;
            let now = due_at + TimeDelta::milliseconds(late);
            let next = next(due_at, STEP, now);
            prop_assert!(next >= now - STEP && next <= due_at.max(now) + STEP);
        }
    }
}
