//! Asking connections which of their records changed, and expecting a webhook about each. What then comes, or does not, is the
//! business of [`crate::store::record_event`]. Nothing in here says anything of a connection's health.

use super::Upstreams;
use crate::clock::{SharedClock, new_id};
use crate::health::record::{changes, entity_of, expected};
use crate::makini::{ErrorClass, UpstreamError};
use crate::store::record::{self, Answered, Ask, Turn};
use crate::store::{record_event, source};
use crate::work::{Step, spread};
use chrono::{DateTime, TimeDelta, Utc};
use model::Source;
use sqlx::PgPool;
use std::sync::{Arc, Mutex, PoisonError};

/// More than three times what reading eight entities of five pages each may take.
const LEASE: TimeDelta = TimeDelta::minutes(30);
/// What changed so long before the last answer is asked for again: a change may show a little after its own time.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);
/// What changed earlier is not looked at: webhooks are not remembered for ever.
const BACK: TimeDelta = TimeDelta::days(30);
/// A refusal is tried again after this.
const REFUSED: TimeDelta = TimeDelta::days(1);
/// A source that does not answer is left alone for this, if it does not say for how long.
const LEFT_ALONE: TimeDelta = TimeDelta::minutes(1);
/// Between two looks at whether there is something new to ask.
const FILL: TimeDelta = TimeDelta::seconds(30);

/// Asks. Cheap to clone.
#[derive(Clone)]
pub struct RecordAsker {
    pool: PgPool,
    clock: SharedClock,
    upstreams: Upstreams,
    window: TimeDelta,
    filled_at: Arc<Mutex<Option<DateTime<Utc>>>>,
}

impl RecordAsker {
    /// One that waits so long for a webhook after a change.
    pub fn new(pool: PgPool, clock: SharedClock, upstreams: Upstreams, window: TimeDelta) -> Self {
        Self { pool, clock, upstreams, window, filled_at: Arc::default() }
    }

    /// Asks the connection whose turn it is.
    ///
    /// # Errors
    /// When our database fails; what upstream does is written down.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        let now = self.clock.now();
        if self.is_time_to_fill(now) {
            record::fill(&mut *self.pool.acquire().await?, now).await?;
        }
        let mut tx = self.pool.begin().await?;
        let Some(turn) = record::lease(&mut tx, now, now + LEASE, new_id()).await? else {
            return Ok(Step::Idle);
        };
        let source = source::list(&mut tx, Some(turn.source), "").await?.pop();
        tx.commit().await?;
        if let Some(source) = source {
            for ask in &turn.asks {
                self.ask(&source, &turn, ask).await?;
            }
        }
        Ok(Step::Busy)
    }

    fn is_time_to_fill(&self, now: DateTime<Utc>) -> bool {
        let mut filled_at = self.filled_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = filled_at.is_none_or(|at| now - at >= FILL);
        if due {
            *filled_at = Some(now);
        }
        due
    }

    /// Asks for one entity, and writes down what came of it.
    async fn ask(&self, source: &Source, turn: &Turn, ask: &Ask) -> Result<(), sqlx::Error> {
        let skew = TimeDelta::try_milliseconds(source.skew_ms.unwrap_or(0)).unwrap_or_default();
        let since = ask.since.max(self.clock.now() - BACK);
        let after = (ask.asked_to - OVERLAP).max(since) + skew;
        let read = match self.upstreams.of(source) {
            Ok(upstream) => upstream.records(&turn.key, &ask.entity, after).await,
            Err(error) => Err(error),
        };
        let interval = spread(TimeDelta::minutes(source.record_minutes.max(1)));
        let answer = match read {
            Ok(answer) => answer,
            Err(error) => return self.put_off(source, turn, ask, interval, &error).await,
        };
        let (now, entity) = (self.clock.now(), entity_of(&ask.entity));
        let (read_at, more) = (answer.received_at, answer.value.more);
        let records: Vec<_> =
            answer.value.records.into_iter().map(|record| record.by_our_clock(skew, read_at)).collect();
        // where not all could be read, the next question goes on from the last that was
        let last = records.iter().map(|record| record.modified_at).max().filter(|at| more && *at > ask.asked_to);
        let ids: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
        let mut tx = self.pool.begin().await?;
        let heard = record_event::heard(&mut tx, source.id, &entity, &ids).await?;
        let missing = expected(changes(&entity, &records, since), &heard);
        record_event::expect(&mut tx, turn.connection, &missing, self.window, now).await?;
        let answered = Answered {
            asked_to: Some(last.unwrap_or(answer.sent_at)),
            refused: None,
            refusal: None,
            at: Some(now),
            due_at: now + interval,
        };
        if !record::finish(&mut tx, turn, &ask.entity, &answered).await? {
            // another process, or nobody any more, asks this
            return tx.rollback().await;
        }
        tx.commit().await
    }

    /// A refusal is remembered; anything else says nothing, and what changed meanwhile is asked for later.
    async fn put_off(
        &self,
        source: &Source,
        turn: &Turn,
        ask: &Ask,
        interval: TimeDelta,
        error: &UpstreamError,
    ) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let class = error.class;
        tracing::info!(connection = %turn.connection, entity = ask.entity, class = class.code(), "could not ask for records: {error}");
        let refused = matches!(class, ErrorClass::Forbidden | ErrorClass::NotFound) || error.status == Some(405);
        let mut conn = self.pool.acquire().await?;
        let answered = Answered {
            asked_to: None,
            refused: refused.then(|| error.to_string()),
            // a token that is not accepted says nothing of what its connection may do
            refusal: error.status.filter(|status| refused && *status != 401).map(|status| (status, error.code.clone())),
            at: refused.then_some(now),
            due_at: now + if refused { spread(REFUSED) } else { interval },
        };
        record::finish(&mut conn, turn, &ask.entity, &answered).await?;
        // a code is about the one connection that was asked
        let whole = matches!(class, ErrorClass::RateLimited | ErrorClass::CircuitOpen | ErrorClass::Upstream)
            || class == ErrorClass::Unreachable && error.code.is_none();
        if whole {
            let wait = error.retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or_default();
            record::pause(&mut conn, source.id, now + wait.max(LEFT_ALONE)).await?;
        }
        Ok(())
    }
}
