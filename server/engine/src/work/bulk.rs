//! Does what was asked for many connections, a few at a time, so that it can be paused and cancelled between any two of them and
//! live traffic keeps its share of what we may ask upstream.

use super::Step;
use crate::clock::{SharedClock, new_id};
use crate::live;
use crate::poll::{Poller, Upstreams, start_sync};
use crate::store::bulk::{self, DueBulk, Outcome};
use crate::store::source;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use model::{BulkKind, Change, ChangeTopic, ConnectionId, SyncKind};
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use uuid::Uuid;

/// More than three times what one step may take: three questions, one sign-in and the wait for the budget.
const LEASE: TimeDelta = TimeDelta::seconds(300);
/// How many at once where upstream is asked, and where it is not.
const ASKING: i64 = 16;
const WRITING: i64 = 100;
/// A look, or a sync and the look at it, may take so many questions.
const REQUESTS: i64 = 3;

/// Works on bulk operations. Cheap to clone.
#[derive(Clone)]
pub struct BulkWorker {
    pool: PgPool,
    clock: SharedClock,
    upstreams: Upstreams,
    poller: Poller,
}

impl BulkWorker {
    /// A worker.
    pub fn new(pool: PgPool, clock: SharedClock, upstreams: Upstreams, poller: Poller) -> Self {
        Self { pool, clock, upstreams, poller }
    }

    /// Does the next few of the one that is due longest.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        let now = self.clock.now();
        let mut conn = self.pool.acquire().await?;
        let Some(due) = bulk::lease(&mut conn, now, now + LEASE, new_id()).await? else { return Ok(Step::Idle) };
        let asks = matches!(due.kind, BulkKind::Check | BulkKind::Sync);
        let next = bulk::waiting(&mut conn, due.id, if asks { ASKING } else { WRITING }).await?;
        let pause = if asks { pause(&mut conn, &next).await? } else { TimeDelta::zero() };
        drop(conn);
        let ids: Vec<Uuid> = next.iter().map(|(id, _)| id.0).collect();
        match due.kind {
            BulkKind::Check => self.write(&due, self.check(&ids).await?, now + pause).await?,
            BulkKind::Sync => self.write(&due, self.sync(&due, &ids).await, now + pause).await?,
            BulkKind::Acknowledge | BulkKind::Assign => self.change_issues(&due, &ids).await?,
        }
        Ok(Step::Busy)
    }

    async fn check(&self, ids: &[Uuid]) -> Result<HashMap<ConnectionId, Outcome>, sqlx::Error> {
        let mut seen = self.poller.look_at(ids).await?;
        let outcome = |id| match seen.remove(&id) {
            Some(None) => Outcome::Done,
            Some(Some(why)) => Outcome::Failed(why),
            None => {
                Outcome::Skipped("It is being looked at already, is gone, or its source is switched off".to_owned())
            }
        };
        Ok(ids.iter().map(|id| ConnectionId(*id)).map(outcome_of(outcome)).collect())
    }

    async fn sync(&self, due: &DueBulk, ids: &[Uuid]) -> HashMap<ConnectionId, Outcome> {
        let kind = due.wish.sync.unwrap_or(SyncKind::Incremental);
        let starts = ids.iter().map(|id| async move {
            let id = ConnectionId(*id);
            let started = start_sync(&self.pool, &self.upstreams, &self.clock, &due.actor, id, kind).await;
            let outcome = match started {
                Ok(()) => Outcome::Done,
                Err(not) if not.under_way => Outcome::Skipped(not.refusal.to_string()),
                Err(not) => Outcome::Failed(not.refusal.to_string()),
            };
            (id, outcome)
        });
        join_all(starts).await.into_iter().collect()
    }

    async fn change_issues(&self, due: &DueBulk, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let live = bulk::live_issues(&mut tx, ids).await?;
        // some to spare, for issues that open meanwhile
        let entry_ids: Vec<Uuid> = (0..live + ASKING).map(|_| new_id()).collect();
        let by = due.actor.name.as_str();
        let (changed, why) = match due.kind {
            BulkKind::Assign => {
                let to = due.wish.assignee.as_deref();
                (bulk::assign(&mut tx, due.id, ids, (by, to), now, &entry_ids).await?, "It has no issue to hand over")
            }
            _ => (bulk::acknowledge(&mut tx, due.id, ids, by, now, &entry_ids).await?, "It has no open issue"),
        };
        let outcome = |id: ConnectionId| match changed.contains(&id.0) {
            true => Outcome::Done,
            false => Outcome::Skipped(why.to_owned()),
        };
        let outcomes = ids.iter().map(|id| ConnectionId(*id)).map(outcome_of(outcome)).collect();
        if finish(&mut tx, due, &outcomes, now, now).await? {
            if !changed.is_empty() {
                live::announce(&mut tx, &[Change::many(ChangeTopic::Issue)]).await?;
            }
            tx.commit().await
        } else {
            tx.rollback().await
        }
    }

    /// Writes down what was done. It was done, whoever has the lease by now: only the lease is then left alone.
    async fn write(
        &self,
        due: &DueBulk,
        outcomes: HashMap<ConnectionId, Outcome>,
        next_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        finish(&mut tx, due, &outcomes, self.clock.now(), next_at).await?;
        tx.commit().await
    }
}

fn outcome_of(mut outcome: impl FnMut(ConnectionId) -> Outcome) -> impl FnMut(ConnectionId) -> (ConnectionId, Outcome) {
    move |id| (id, outcome(id))
}

/// Whether the lease was still ours.
async fn finish(
    conn: &mut PgConnection,
    due: &DueBulk,
    outcomes: &HashMap<ConnectionId, Outcome>,
    now: DateTime<Utc>,
    next_at: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let version = bulk::finish(conn, due, outcomes, now, next_at).await?;
    if let Some(version) = version {
        live::announce(conn, &[Change::new(ChangeTopic::Retry, due.id, version)]).await?;
    } else {
        tracing::warn!(bulk = %due.id, "the lease on a bulk operation ran out; it is left to the other process");
    }
    Ok(version.is_some())
}

/// How long to wait before the next few, so that these took half of what their sources allow at most.
async fn pause(conn: &mut PgConnection, some: &[(ConnectionId, Uuid)]) -> Result<TimeDelta, sqlx::Error> {
    let mut by_source: HashMap<Uuid, i64> = HashMap::new();
    for (_, source) in some {
        *by_source.entry(*source).or_default() += 1;
    }
    let sources = source::list(conn, None, "").await?;
    let waits = sources.iter().filter_map(|source| {
        let many = by_source.get(&source.id.0)?;
        Some(many * REQUESTS * 2 * 60_000 / source.rate_per_minute.max(1))
    });
    Ok(TimeDelta::milliseconds(waits.max().unwrap_or(0)))
}
