//! What a stored event means: parsed by dialect, handed to [`crate::health::observe`], and given its end.
//!
//! A batch is one transaction: what the events say and that they were processed is committed together, so that neither a
//! crash nor another process can apply one twice or leave one out.

use super::event::{News, Parsed, parse};
use crate::clock::SharedClock;
use crate::health::{Sighted, Sighting, facts_of_news, observe};
use crate::live;
use crate::store::event::{self, Finished, Leased};
use crate::store::{connection, source, source::Brief};
use crate::work::{Step, backoff};
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Applied, Attempt, AttemptError, AttemptOutcome, Change, ChangeTopic, ConnectionId, EventState, Eye, SourceId,
};
use sqlx::{PgConnection, PgPool};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Notify;

/// A batch takes milliseconds; a statement that takes this long is given up, and its events are tried again.
const PATIENCE: &str = "set local statement_timeout = '5s'";
/// More than three times that, so that what a crash leaves behind waits no longer.
const LEASE: TimeDelta = TimeDelta::seconds(20);
/// How many events are one transaction.
const BATCH: i64 = 500;
/// How often an event whose connection is not known yet is tried before it rests.
const TRIES: i32 = 6;

/// Processes events. Cheap to clone.
#[derive(Clone)]
pub struct Processor {
    pool: PgPool,
    clock: SharedClock,
    checks: Arc<Notify>,
}

/// What an event came to.
struct End {
    state: EventState,
    outcome: AttemptOutcome,
    error: Option<AttemptError>,
    due_at: Option<DateTime<Utc>>,
}

impl End {
    fn done(state: EventState) -> Self {
        Self { state, outcome: AttemptOutcome::Ok, error: None, due_at: None }
    }
}

impl Processor {
    /// A processor; `checks` is notified when closer looks were asked for.
    pub fn new(pool: PgPool, clock: SharedClock, checks: Arc<Notify>) -> Self {
        Self { pool, clock, checks }
    }

    /// Processes the events that are due.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        let now = self.clock.now();
        let mut conn = self.pool.acquire().await?;
        let batch = event::lease_due(&mut conn, now, LEASE, BATCH).await?;
        drop(conn);
        if batch.is_empty() {
            return Ok(Step::Idle);
        }
        if let Err(error) = self.process(&batch, now).await {
            if !is_of_the_data(&error) {
                return Err(error);
            }
            tracing::warn!(%error, events = batch.len(), "a batch of events failed and is processed one by one: {error}");
            for leased in &batch {
                if let Err(error) = self.process(std::slice::from_ref(leased), now).await {
                    self.give_up(leased, now, &error).await?;
                }
            }
        }
        Ok(Step::Busy)
    }

    async fn process(&self, batch: &[Leased], started_at: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(PATIENCE).execute(&mut *tx).await?;
        let briefs = source::briefs(&mut tx).await?;
        let parsed: Vec<_> = batch.iter().map(|leased| read(leased, &briefs)).collect();
        let connections = find(&mut tx, batch, &parsed).await?;
        let mut ends: Vec<Option<End>> = Vec::with_capacity(batch.len());
        let mut sightings = Vec::new();
        for (leased, parsed) in batch.iter().zip(&parsed) {
            if parsed.clamped && leased.earlier == 0 {
                let source = leased.source_id.to_string();
                metrics::counter!("linewatch_event_future_stamps_total", "source" => source).increment(1);
            }
            let connection =
                parsed.connection_key.as_ref().and_then(|key| connections.get(&(leased.source_id, key.clone())));
            let brief = briefs.get(&leased.source_id);
            ends.push(match (&parsed.news, connection, brief) {
                // Records of a connection changed; of which, this dialect does not say.
                (None, ..) if parsed.of_records => Some(End::done(EventState::Processed)),
                (None, ..) => Some(End::done(EventState::Unrecognised)),
                (Some(_), None, _) | (_, _, None) => Some(stranger(leased, started_at)),
                (Some(news), Some(connection), Some(brief)) => {
                    sightings.push(sighted(leased, parsed, news, *connection, brief));
                    None
                }
            });
        }
        let observed = observe(&mut tx, &sightings, started_at).await?;
        let mut applied = observed.applied.into_iter();
        let duration_ms = u32::try_from((self.clock.now() - started_at).num_milliseconds()).unwrap_or(0);
        let finished: Vec<Finished> = batch
            .iter()
            .zip(&parsed)
            .zip(ends)
            .map(|((leased, parsed), end)| {
                let end = end.unwrap_or_else(|| match applied.next().flatten() {
                    Some(Applied::Older | Applied::Conflict) => End::done(EventState::Superseded),
                    _ => End::done(EventState::Processed),
                });
                metrics::counter!("linewatch_events_processed_total", "state" => end.state.code()).increment(1);
                let key = parsed.connection_key.as_ref().map(|key| (leased.source_id, key.clone()));
                let connection = key.and_then(|key| connections.get(&key)).copied();
                finished(leased, parsed.kind_raw.clone(), connection, end, started_at, duration_ms)
            })
            .collect();
        // one that is no longer ours means that another process has done, or does, the same: nothing is written twice
        if event::finish(&mut tx, &finished).await? != batch.len() as u64 {
            tracing::warn!("a lease on events ran out while they were processed; they are left to the other process");
            return tx.rollback().await;
        }
        let changes: Vec<_> = batch.iter().map(|leased| Change::new(ChangeTopic::Event, leased.id, 1)).collect();
        live::announce(&mut tx, &changes).await?;
        tx.commit().await?;
        if observed.checks {
            self.checks.notify_one();
        }
        Ok(())
    }

    /// An event that our own code or database cannot take rests as failed, with the reason, until a person retries it.
    async fn give_up(
        &self,
        leased: &Leased,
        started_at: DateTime<Utc>,
        error: &sqlx::Error,
    ) -> Result<(), sqlx::Error> {
        tracing::error!(event = %leased.id, %error, "an event could not be processed: {error}");
        let end = End {
            state: EventState::Failed,
            outcome: AttemptOutcome::Failed,
            error: Some(AttemptError {
                class: "internal".to_owned(),
                message: "Linewatch could not store what this event says; its log has more".to_owned(),
            }),
            due_at: None,
        };
        let mut conn = self.pool.acquire().await?;
        event::finish(&mut conn, &[finished(leased, None, None, end, started_at, 0)]).await?;
        Ok(())
    }
}

fn read(leased: &Leased, briefs: &HashMap<SourceId, Brief>) -> Parsed {
    let (dialect, mappings) = briefs.get(&leased.source_id).map_or_else(
        || (model::Dialect::FaqV1, model::Mappings::default()),
        |brief| (brief.dialect, brief.mappings.clone()),
    );
    parse(dialect, &mappings, &leased.headers, &leased.body, leased.received_at)
}

async fn find(
    conn: &mut PgConnection,
    batch: &[Leased],
    parsed: &[Parsed],
) -> Result<HashMap<(SourceId, String), ConnectionId>, sqlx::Error> {
    let (sources, keys): (Vec<_>, Vec<_>) = batch
        .iter()
        .zip(parsed)
        .filter_map(|(leased, parsed)| Some((leased.source_id.0, parsed.connection_key.clone()?)))
        .unzip();
    let found = connection::ids_by_keys(conn, &sources, &keys).await?;
    Ok(found.into_iter().map(|(source, key, id)| ((source, key), id)).collect())
}

/// An event about a connection that no round has listed yet: it is tried again, because the next one may.
fn stranger(leased: &Leased, now: DateTime<Utc>) -> End {
    let again = leased.attempt + 1 < TRIES;
    let wait = backoff(
        u32::try_from(leased.attempt + 1).unwrap_or(1),
        TimeDelta::seconds(5),
        TimeDelta::minutes(5),
        rand::random(),
    );
    End {
        state: if again { EventState::Pending } else { EventState::Failed },
        outcome: if again { AttemptOutcome::Retry } else { AttemptOutcome::Failed },
        error: Some(AttemptError {
            class: "unknown_connection".to_owned(),
            message: "No round has listed the connection that this event is about".to_owned(),
        }),
        due_at: again.then(|| now + wait),
    }
}

fn sighted(leased: &Leased, parsed: &Parsed, news: &News, connection: ConnectionId, brief: &Brief) -> Sighted {
    Sighted {
        connection,
        sighting: Sighting {
            eye: Eye::Webhook,
            at: parsed.effective_at,
            own_at: parsed.occurred_at,
            facts: facts_of_news(news, parsed.effective_at),
        },
        received_at: leased.received_at,
        skew: brief.skew,
        policy: brief.policy,
        raw_status: None,
        description: None,
        upstream_error: None,
        event: Some(leased.id.0),
    }
}

fn finished(
    leased: &Leased,
    kind: Option<String>,
    connection_id: Option<ConnectionId>,
    end: End,
    started_at: DateTime<Utc>,
    duration_ms: u32,
) -> Finished {
    Finished {
        id: leased.id,
        received_at: leased.received_at,
        lease_token: leased.lease_token,
        state: end.state,
        kind,
        connection_id,
        attempts_append: Attempt {
            n: leased.earlier + 1,
            trigger: leased.trigger(),
            by: None,
            started_at,
            duration_ms,
            outcome: end.outcome,
            status: None,
            error: end.error,
        },
        due_at: end.due_at,
        attempt: if end.outcome == AttemptOutcome::Ok { 0 } else { leased.attempt + 1 },
    }
}

/// Whether an error comes from what was to be stored, and not from the way to the database.
fn is_of_the_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}
