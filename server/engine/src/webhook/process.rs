//! What a stored event means: parsed by dialect, handed to [`crate::health::take_in`], and given its end.
//!
//! A batch is one transaction, which holds its events and writes nothing to say so: what they say and that they were processed is
//! committed together, so that neither a crash nor another process can apply one twice or leave one out.
//!
//! So nothing remembers that a batch was tried. What makes one fail, or may have ended a process, is worked on with care instead:
//! leased first, in a transaction of its own, and in the end one by one, so that what kills its worker is given up some day.

use super::fault::is_of_the_data;
use super::outcome::{End, Heard, TRIES, find, finished, sighted, stranger};
use super::rush::Rush;
use crate::clock::SharedClock;
use crate::health::{Hearing, take_in};
use crate::live;
use crate::relay::{FanOut, Going, Subject};
use crate::store::event_due::{self, Turn};
use crate::store::event_end::{self, Finished};
use crate::store::{hearing, record_event, retry, source, source::Brief};
use crate::work::Step;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Applied, AttemptError, AttemptOutcome, Change, EventState, SourceId};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

/// A batch takes milliseconds; a statement that takes this long is given up, and its events are tried again.
const BEGIN: &str = "begin; set local statement_timeout = '5s'";
/// More than three times that, so that what a crash leaves behind waits no longer.
const LEASE: TimeDelta = TimeDelta::seconds(20);
/// How many events are one transaction, at most …
const BATCH: i64 = 500;
/// … and how many it may be however long they take.
const LEAST: i64 = 32;
/// A batch should take no longer than this: what it says is seen by nobody before its last event is processed. Good syncs take
/// a tenth of what connections take that turn.
const SOON: Duration = Duration::from_millis(50);
/// Why an event cannot be tried again of which only the work is left.
const GONE: &str = "It is no longer kept";
/// What is known of the sources is this old at most.
const BRIEFS_LAST: TimeDelta = TimeDelta::seconds(1);

/// What is known of whether webhooks come is this old at most.
const HEARINGS_LAST: TimeDelta = TimeDelta::seconds(15);

/// Processes events. Cheap to clone.
#[derive(Clone)]
pub struct Processor {
    pool: PgPool,
    clock: SharedClock,
    checks: Arc<Notify>,
    /// What came before this may have ended the process before us.
    since: DateTime<Utc>,
    briefs: Arc<Kept>,
    hearings: Arc<KeptHearings>,
    fan_out: FanOut,
    rush: Rush,
    /// How many events the next batch may be.
    want: Arc<AtomicI64>,
}

/// How sources are heard.
type Hearings = Arc<HashMap<SourceId, Hearing>>;
/// Whether their webhooks come, and since when that is known.
type KeptHearings = Mutex<Option<(DateTime<Utc>, Hearings)>>;
type Briefs = Arc<HashMap<SourceId, Brief>>;
/// What is known of the sources, and since when.
type Kept = Mutex<Option<(DateTime<Utc>, Briefs)>>;

/// What a look at what is due came to.
enum Turns {
    None,
    Done,
    /// Some of these may have ended a process.
    Suspect,
    /// These were there before us.
    Inherited,
}

/// Why a batch failed.
enum Trouble {
    Database(sqlx::Error),
    Panic,
}

impl Trouble {
    /// Whether it comes from what was to be stored, and not from the way to the database.
    fn is_of_the_data(&self) -> bool {
        match self {
            Self::Database(error) => is_of_the_data(error),
            Self::Panic => true,
        }
    }
}

impl From<Trouble> for sqlx::Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Database(error) => error,
            Trouble::Panic => Self::Protocol("a batch of events met a fault of ours".to_owned()),
        }
    }
}

impl Processor {
    /// A processor; `checks` is notified when closer looks were asked for.
    pub fn new(pool: PgPool, clock: SharedClock, checks: Arc<Notify>) -> Self {
        let since = clock.now();
        Self {
            pool,
            clock,
            checks,
            since,
            briefs: Arc::default(),
            hearings: Arc::default(),
            fan_out: FanOut::default(),
            rush: Rush::default(),
            want: Arc::new(AtomicI64::new(LEAST)),
        }
    }

    /// The same, giving way to those who stand at the door of this process.
    pub fn giving_way(self, rush: Rush) -> Self {
        Self { rush, ..self }
    }

    /// Processes the events that are due.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        let (now, began) = (self.clock.now(), Instant::now());
        let this = self.clone();
        match guarded(async move { this.straight(now).await }).await {
            Ok(Turns::None) => return Ok(Step::Idle),
            Ok(Turns::Done) => self.rush.give_way(began.elapsed()).await,
            Ok(Turns::Suspect) => self.with_care(now, 1).await?,
            Ok(Turns::Inherited) => self.with_care(now, BATCH).await?,
            Err(trouble) if trouble.is_of_the_data() => self.with_care(now, BATCH).await?,
            Err(trouble) => return Err(trouble.into()),
        }
        Ok(Step::Busy)
    }

    /// A batch in one transaction.
    async fn straight(&self, now: DateTime<Utc>) -> Result<Turns, sqlx::Error> {
        let briefs = self.briefs(now).await?;
        let mut tx = self.pool.begin_with(BEGIN).await?;
        let (want, began) = (self.want.load(Ordering::Relaxed), Instant::now());
        let turns = event_due::claim(&mut tx, now, want).await?;
        if turns.is_empty() {
            tx.rollback().await?;
            return Ok(Turns::None);
        }
        let suspect = turns.iter().any(|turn| turn.lease_token.is_some());
        if suspect || turns.iter().any(|turn| turn.received_at < self.since) {
            tx.rollback().await?;
            return Ok(if suspect { Turns::Suspect } else { Turns::Inherited });
        }
        self.process(tx, &turns, &briefs, now).await?;
        self.want.store(adapted(want, turns.len(), began.elapsed()), Ordering::Relaxed);
        Ok(Turns::Done)
    }

    /// At most so many events, leased; one by one if together they fail.
    async fn with_care(&self, now: DateTime<Utc>, most: i64) -> Result<(), sqlx::Error> {
        let leased = event_due::lease(&mut *self.pool.acquire().await?, now, LEASE, most).await?;
        if leased.len() > 1 && leased.iter().all(|turn| turn.attempt == 0) {
            match self.leased(leased.clone(), now).await {
                Ok(()) => return Ok(()),
                Err(trouble) if !trouble.is_of_the_data() => return Err(trouble.into()),
                Err(_) => tracing::warn!(events = leased.len(), "a batch of events failed and is processed one by one"),
            }
        }
        for turn in leased {
            if turn.attempt >= TRIES {
                self.give_up(turn, now, "Linewatch ended more than once while it worked on this event").await?;
                continue;
            }
            match self.leased(vec![turn.clone()], now).await {
                Ok(()) => {}
                Err(trouble) if trouble.is_of_the_data() => {
                    if let Trouble::Database(error) = &trouble {
                        tracing::error!(event = %turn.id, %error, "an event could not be processed: {error}");
                    }
                    self.give_up(turn, now, "Linewatch could not store what this event says; its log has more").await?;
                }
                Err(trouble) => return Err(trouble.into()),
            }
        }
        Ok(())
    }

    async fn leased(&self, turns: Vec<Turn>, now: DateTime<Utc>) -> Result<(), Trouble> {
        let this = self.clone();
        guarded(async move {
            let briefs = this.briefs(now).await?;
            let tx = this.pool.begin_with(BEGIN).await?;
            this.process(tx, &turns, &briefs, now).await
        })
        .await
    }

    /// What is known of the sources, as of a moment ago.
    async fn briefs(&self, now: DateTime<Utc>) -> Result<Briefs, sqlx::Error> {
        let mut kept = self.briefs.lock().await;
        match &*kept {
            Some((read_at, briefs)) if (TimeDelta::zero()..BRIEFS_LAST).contains(&(now - *read_at)) => {
                Ok(Arc::clone(briefs))
            }
            _ => {
                let mut conn = self.pool.acquire().await?;
                let mut briefs = source::briefs(&mut conn).await?;
                let heard = self.hearings(&mut conn, now).await?;
                for (id, brief) in &mut briefs {
                    brief.policy.hearing = heard.get(id).copied();
                }
                let briefs = Arc::new(briefs);
                *kept = Some((now, Arc::clone(&briefs)));
                Ok(briefs)
            }
        }
    }

    /// Whether the webhooks of sources come, as of some seconds ago.
    async fn hearings(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Hearings, sqlx::Error> {
        let mut kept = self.hearings.lock().await;
        match &*kept {
            Some((read_at, heard)) if (TimeDelta::zero()..HEARINGS_LAST).contains(&(now - *read_at)) => {
                Ok(Arc::clone(heard))
            }
            _ => {
                let heard = Arc::new(hearing::of_sources(conn, None, now).await?);
                *kept = Some((now, Arc::clone(&heard)));
                Ok(heard)
            }
        }
    }

    async fn process(
        &self,
        mut tx: Transaction<'static, Postgres>,
        turns: &[Turn],
        briefs: &HashMap<SourceId, Brief>,
        started_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let mut came = event_due::read(&mut tx, turns).await?;
        let (mut all, mut lost) = (Vec::with_capacity(turns.len()), Vec::new());
        for turn in turns {
            match came.remove(&turn.id) {
                Some(came) => all.push(Heard::read(turn, came, briefs)),
                None => lost.push(turn),
            }
        }
        if !lost.is_empty() {
            tracing::error!(events = lost.len(), "events were due that are not there; they are not asked for again");
            event_due::end(&mut tx, &lost).await?;
            let asked_for = lost.iter().filter_map(|turn| Some((turn.retry?, turn.id.0, Some(GONE.to_owned()))));
            retry::ended(&mut tx, &asked_for.collect::<Vec<_>>(), started_at).await?;
        }
        let connections = find(&mut tx, &all).await?;
        let mut ends: Vec<Option<End>> = Vec::with_capacity(all.len());
        let mut sightings = Vec::new();
        for heard in &all {
            let Heard { turn, parsed, .. } = heard;
            if parsed.clamped && turn.earlier == 0 {
                let source = heard.source_id.to_string();
                metrics::counter!("linewatch_event_future_stamps_total", "source" => source).increment(1);
            }
            let brief = briefs.get(&heard.source_id);
            ends.push(match (&parsed.news, heard.connection(&connections), brief) {
                _ if heard.is_too_old() => Some(End::done(EventState::Superseded)),
                (None, Some(connection), Some(brief)) if parsed.of_data => {
                    sightings.push(sighted(turn, parsed, None, connection, brief));
                    None
                }
                // Records of a connection changed; of which, this dialect does not say.
                (None, ..) if parsed.of_records => Some(End::done(EventState::Processed)),
                (None, ..) => Some(End::done(EventState::Unrecognised)),
                (Some(_), None, _) | (_, _, None) => Some(stranger(turn, started_at)),
                (Some(news), Some(connection), Some(brief)) => {
                    sightings.push(sighted(turn, parsed, Some(news), connection, brief));
                    None
                }
            });
        }
        let observed = take_in(&mut tx, &sightings, started_at).await?;
        // only where somebody asks for records; elsewhere nothing could be missed
        let of_records = all.iter().filter(|heard| {
            heard.parsed.of_records && briefs.get(&heard.source_id).is_some_and(|brief| brief.asks_for_records)
        });
        let told: Vec<_> = of_records
            .flat_map(|heard| {
                record_event::told(
                    heard.source_id,
                    heard.parsed.kind_raw.as_deref(),
                    &heard.parsed.records,
                    heard.turn.received_at,
                )
            })
            .collect();
        record_event::came(&mut tx, told, started_at).await?;
        let mut applied = observed.applied.into_iter();
        let duration_ms = u32::try_from((self.clock.now() - started_at).num_milliseconds()).unwrap_or(0);
        let mut counts: HashMap<&'static str, u64> = HashMap::new();
        let finished: Vec<Finished> = all
            .iter()
            .zip(ends)
            .map(|(heard, end)| {
                let end = end.unwrap_or_else(|| match applied.next().flatten() {
                    Some(Applied::Older | Applied::Conflict) => End::done(EventState::Superseded),
                    _ => End::done(EventState::Processed),
                });
                *counts.entry(end.state.code()).or_default() += 1;
                let (kind, connection) = (heard.parsed.kind_raw.clone(), heard.connection(&connections));
                finished(heard.turn.clone(), kind, connection, end, started_at, duration_ms)
            })
            .collect();
        // one that is no longer ours means that another process has done, or does, the same: nothing is written twice
        if event_end::finish(&mut tx, &finished).await? != finished.len() as u64 {
            tracing::warn!("a lease on events ran out while they were processed; they are left to the other process");
            return tx.rollback().await;
        }
        // what is tried again is forwarded when its last try has ended
        let going = all.iter().zip(&finished).filter(|(_, end)| end.due_at.is_none()).map(|(heard, end)| Going {
            subject: Subject {
                event: heard.turn.id,
                received_at: heard.turn.received_at,
                kind: end.kind.clone(),
                source: heard.source_id,
                environment: briefs.get(&heard.source_id).map(|brief| brief.environment),
                connection: end.connection_id,
            },
            again: heard.turn.earlier > 0,
        });
        let mut changes = observed.changes;
        changes.extend(self.forward(&mut tx, turns, going).await?);
        changes.extend(live::of_events(all.iter().map(|heard| heard.turn.id), 1));
        live::announce(&mut tx, &changes).await?;
        tx.commit().await?;
        for (state, n) in counts {
            metrics::counter!("linewatch_events_processed_total", "state" => state).increment(n);
        }
        if observed.checks {
            self.checks.notify_one();
        }
        Ok(())
    }

    /// An event that our own code or database cannot take rests as failed, with the reason, until a person retries it.
    async fn give_up(&self, turn: Turn, started_at: DateTime<Utc>, why: &str) -> Result<(), sqlx::Error> {
        tracing::error!(event = %turn.id, "an event is given up: {why}");
        let end = End {
            state: EventState::Failed,
            outcome: AttemptOutcome::Failed,
            error: Some(AttemptError { class: "internal".to_owned(), message: why.to_owned() }),
            due_at: None,
        };
        let mut tx = self.pool.begin_with(BEGIN).await?;
        let turns = [turn];
        let came = event_due::read(&mut tx, &turns).await?;
        let [turn] = turns;
        let ours = event_end::finish(&mut tx, &[finished(turn.clone(), None, None, end, started_at, 0)]).await?;
        if ours != 1 {
            return tx.rollback().await;
        }
        // it is forwarded all the same, to those who do not ask what it is about
        let going = came.get(&turn.id).map(|came| Going {
            subject: Subject {
                event: turn.id,
                received_at: turn.received_at,
                kind: None,
                source: came.source_id,
                environment: None,
                connection: None,
            },
            again: turn.earlier > 0,
        });
        let due = self.forward(&mut tx, std::slice::from_ref(&turn), going.into_iter()).await?;
        live::announce(&mut tx, due.as_slice()).await?;
        tx.commit().await
    }

    /// Makes the deliveries of events that have their end, in the transaction that gives it to them. Answers what to announce.
    async fn forward(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        turns: &[Turn],
        going: impl Iterator<Item = Going>,
    ) -> Result<Option<Change>, sqlx::Error> {
        let stamp = turns.iter().map(|turn| turn.endpoints).max().unwrap_or(0);
        let targets = self.fan_out.targets(&mut *tx, stamp).await?;
        FanOut::add(&mut *tx, &targets, &going.collect::<Vec<_>>(), self.clock.now()).await
    }
}

/// How many events the next batch may be, after one that was to be `want` and took so long for so many.
fn adapted(want: i64, events: usize, took: Duration) -> i64 {
    let full = i64::try_from(events).is_ok_and(|events| events >= want);
    match () {
        () if took > SOON => (want / 2).max(LEAST),
        () if full && took < SOON / 2 => (want * 2).min(BATCH),
        () => want,
    }
}

/// Runs it in a task of its own, so that a panic ends nothing but that.
async fn guarded<T: Send + 'static>(
    work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
) -> Result<T, Trouble> {
    tokio::spawn(work).await.map_err(|_| Trouble::Panic)?.map_err(Trouble::Database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_become_smaller_when_they_take_long_and_larger_when_they_are_full() {
        let (quick, slow) = (Duration::from_millis(5), Duration::from_millis(200));
        assert_eq!(adapted(128, 128, slow), 64);
        assert_eq!(adapted(128, 3, slow), 64);
        assert_eq!(adapted(LEAST, 3, slow), LEAST);
        assert_eq!(adapted(128, 128, quick), 256);
        assert_eq!(adapted(400, 400, quick), BATCH);
        assert_eq!(adapted(128, 127, quick), 128);
        assert_eq!(adapted(128, 128, SOON), 128);
    }
}
