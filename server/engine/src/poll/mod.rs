//! Looking: rounds over everything a source lists, and closer looks at single connections.
//!
//! What we fail to see is never evidence against a customer's connection: it is written down on the source, and proofs age.

mod by_hand;
mod check;
mod describe;
mod reading;
mod records;
mod round;
mod start;
mod sweep;
mod thin;
mod upstreams;
mod when;

pub use records::RecordAsker;
pub use start::{NotStarted, start_sync};
pub use upstreams::Upstreams;

use crate::clock::SharedClock;
use crate::makini::Answer;
use chrono::TimeDelta;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Notify;

/// Does the looking. Cheap to clone.
#[derive(Clone)]
pub struct Poller {
    pool: PgPool,
    clock: SharedClock,
    upstreams: Upstreams,
    /// Wakes the worker of closer looks.
    checks: Arc<Notify>,
}

impl Poller {
    /// A poller; `checks` is notified when closer looks were asked for.
    pub fn new(pool: PgPool, clock: SharedClock, upstreams: Upstreams, checks: Arc<Notify>) -> Self {
        Self { pool, clock, upstreams, checks }
    }
}

/// Upstream's clock minus ours. `Date` counts whole seconds, so less than two seconds is none.
fn skew<T>(answer: &Answer<T>) -> Option<TimeDelta> {
    let middle = answer.sent_at + (answer.received_at - answer.sent_at) / 2;
    let skew = answer.upstream_date? + TimeDelta::milliseconds(500) - middle;
    Some(if skew.abs() < TimeDelta::seconds(2) { TimeDelta::zero() } else { skew })
}
