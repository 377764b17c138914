//! One transaction for all webhooks of the moment.
//!
//! There is no timer: whatever came while the last batch was committing is the next one, so that one caller alone waits for
//! one commit and sixty-four together wait for hardly more. A caller is answered only after the commit.

use super::{
    accept::Accepted,
    fault::{is_a_rows_fault, is_deadlock},
    limits::DoorLimits,
    queue::{Group, NotStored, Queue, Waiting, group, let_go, part, refuse},
    rejections::{Rejection, Rejections},
    rush::Rush,
};
use crate::{
    live,
    store::{
        event,
        event_key::{self, First, Hash, Repeat},
    },
};
use chrono::{DateTime, Utc};
use model::{Change, ChangeTopic, EventId, RejectionReason};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use std::{
    collections::{HashMap, HashSet},
    future::pending,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often a batch that lost a deadlock is tried.
const TRIES: u32 = 4;
/// How long the connection is kept when nothing comes.
const IDLE: Duration = Duration::from_millis(500);
/// A database that is away fails batches by the thousand: between two lines about it.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// Between two announcements: NOTIFY serialises commits and wakes everybody who listens, so what comes faster is told together.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(25);

/// Writes batches.
pub(super) struct Flusher {
    pool: PgPool,
    connection: Option<PoolConnection<Postgres>>,
    queue: mpsc::UnboundedReceiver<Waiting>,
    rows: usize,
    patience: Duration,
    wake: Arc<Notify>,
    rejections: Rejections,
    rush: Rush,
    /// When it was last said that something could not be stored.
    said: Option<Instant>,
    /// When events were last announced, and whether more were stored since.
    announced: Option<Instant>,
    owed: bool,
}

/// A queue and who empties it.
pub(super) fn queue(
    pool: PgPool,
    limits: DoorLimits,
    wake: Arc<Notify>,
    rejections: Rejections,
    rush: Rush,
) -> (Queue, Flusher) {
    let (queue, waiting) = Queue::new(limits.answer_within);
    let (rows, patience) = (limits.batch_rows, limits.patience);
    let (connection, said, announced, owed) = (None, None, None, false);
    (queue, Flusher { pool, connection, queue: waiting, rows, patience, wake, rejections, rush, said, announced, owed })
}

/// What became of a group.
#[derive(Clone)]
enum Fate {
    Stored,
    CameBefore,
    NotStored(NotStored),
}

impl Flusher {
    /// Writes what comes, until the door is closing and everything that was taken is written.
    pub async fn run(mut self, closing: CancellationToken) {
        let mut batch = Vec::with_capacity(self.rows);
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
                n = self.queue.recv_many(&mut batch, self.rows) => if n == 0 {
                    self.announce_what_is_owed().await;
                    return
                },
                () = until(self.announced.filter(|_| self.owed).map(|at| at + ANNOUNCE_EVERY)) => {
                    self.announce_what_is_owed().await;
                    continue;
                }
                () = tokio::time::sleep(IDLE), if self.connection.is_some() => {
                    self.connection = None;
                    continue;
                }
            }
            // who queued first woke us; others are about to, and their turn comes before ours comes again
            tokio::task::yield_now().await;
            while batch.len() < self.rows
                && let Ok(waiting) = self.queue.try_recv()
            {
                batch.push(waiting);
            }
            loop {
                let_go(&mut batch);
                if batch.is_empty() {
                    break;
                }
                let part = part(&mut batch);
                self.flush(part).await;
            }
        }
    }

    async fn flush(&mut self, part: Vec<Waiting>) {
        metrics::histogram!("linewatch_webhook_batch_rows").record(part.len() as f64);
        self.rush.note(part.len());
        let groups = group(part);
        let fates = self.insert(&groups).await;
        let firsts = self.count_repeats(&groups, &fates).await;
        self.tell(&groups, &fates);
        for (group, fate) in groups.into_iter().zip(fates) {
            self.answer(group, fate, &firsts);
        }
    }

    /// Stores the first of each group. What fails for the fault of one row is halved until that row alone is refused.
    async fn insert(&mut self, groups: &[Group]) -> Vec<Fate> {
        let mut fates = vec![Fate::CameBefore; groups.len()];
        let all = 0..groups.len();
        let mut parts = vec![all];
        while let Some(part) = parts.pop() {
            match self.insert_part(&groups[part.clone()]).await {
                Ok(stored) => {
                    for at in part.filter(|at| stored.contains(&groups[*at].first.event.id.0)) {
                        fates[at] = Fate::Stored;
                    }
                }
                Err(error) if is_a_rows_fault(&error) && part.len() > 1 => {
                    let middle = part.start + part.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
                Err(error) if is_a_rows_fault(&error) => {
                    if self.may_say() {
                        tracing::error!(%error, "Postgres refuses one webhook: {error}");
                    }
                    fates[part.start] =
                        Fate::NotStored("The database refuses this webhook. It was not stored.".to_owned());
                }
                Err(error) => {
                    if self.may_say() {
                        tracing::warn!(%error, "a batch of webhooks could not be stored: {error}");
                    }
                    // its fate is the same for what was not tried yet
                    let refused =
                        Fate::NotStored("The database is not available. Send it again in a moment.".to_owned());
                    for at in std::iter::once(part).chain(parts.drain(..)).flatten() {
                        fates[at] = refused.clone();
                    }
                }
            }
        }
        fates
    }

    async fn insert_part(&mut self, groups: &[Group]) -> sqlx::Result<HashSet<Uuid>> {
        let events: Vec<_> = groups.iter().map(|group| &group.first.event).collect();
        let now = Instant::now();
        let may = self.announced.is_none_or(|at| now - at >= ANNOUNCE_EVERY);
        let announcement = match (may, self.owed) {
            (false, _) => None,
            (true, false) => live::payload(&live::of_events(events.iter().map(|event| event.id), 0)),
            (true, true) => live::payload(&[Change::many(ChangeTopic::Event)]),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let done =
                self.with_connection(async |conn| event::insert(conn, &events, announcement.as_deref()).await).await;
            match done {
                Err(error) if tries < TRIES && is_deadlock(&error) => {
                    metrics::counter!("linewatch_webhook_batch_deadlocks_total").increment(1);
                }
                done => {
                    if done.as_ref().is_ok_and(|stored| !stored.is_empty()) {
                        self.owed = !may;
                        self.announced = if may { Some(now) } else { self.announced };
                    }
                    return done;
                }
            }
        }
    }

    /// Announces what was stored since the last announcement. One that is lost costs nothing for long: whoever works looks by
    /// himself, and whoever looks on is told with the next.
    async fn announce_what_is_owed(&mut self) {
        if std::mem::take(&mut self.owed) {
            self.announced = Some(Instant::now());
            let all = [Change::many(ChangeTopic::Event)];
            if let Err(error) = self.with_connection(async |conn| live::announce(conn, &all).await).await {
                tracing::debug!(%error, "webhooks could not be announced: {error}");
            }
        }
    }

    /// Counts what came again, and finds out which events those are repeats of.
    async fn count_repeats(&mut self, groups: &[Group], fates: &[Fate]) -> HashMap<Hash, First> {
        let mut repeats: Vec<Repeat> = Vec::new();
        for (group, fate) in groups.iter().zip(fates) {
            let times = group.again.len() + usize::from(matches!(fate, Fate::CameBefore));
            if let (Fate::Stored | Fate::CameBefore, 1.., Some(key)) = (fate, times, group.first.event.key) {
                repeats.push(Repeat { key_hash: key.key, times: i32::try_from(times).unwrap_or(i32::MAX) });
            }
        }
        if repeats.is_empty() {
            return HashMap::new();
        }
        let firsts = match self.with_connection(async |conn| event_key::repeated(conn, &repeats).await).await {
            Ok(firsts) => firsts,
            Err(error) => {
                if self.may_say() {
                    tracing::warn!(%error, "repeated webhooks could not be counted: {error}");
                }
                Vec::new()
            }
        };
        firsts.into_iter().map(|first| (first.key_hash, first)).collect()
    }

    fn may_say(&mut self) -> bool {
        let now = Instant::now();
        let may = self.said.is_none_or(|said| now - said >= SAY_EVERY);
        if may {
            self.said = Some(now);
        }
        may
    }

    /// Counts what was stored, by source, and wakes who processes it.
    fn tell(&self, groups: &[Group], fates: &[Fate]) {
        let mut stored: HashMap<&str, (i64, DateTime<Utc>)> = HashMap::new();
        for (Group { first, .. }, _) in groups.iter().zip(fates).filter(|(_, fate)| matches!(fate, Fate::Stored)) {
            let (n, last) = stored.entry(&first.source.name).or_insert((0, first.event.received_at));
            (*n, *last) = (*n + 1, first.event.received_at.max(*last));
        }
        for (source, (n, last)) in &stored {
            self.rejections.taken(source, *n, *last);
        }
        if !stored.is_empty() {
            self.wake.notify_one();
        }
    }

    fn answer(&self, group: Group, fate: Fate, firsts: &HashMap<Hash, First>) {
        let Group { first, again } = group;
        let key = first.event.key;
        let (id, body, repeats) = match fate {
            Fate::NotStored(why) => {
                for waiting in std::iter::once(first).chain(again) {
                    let _ = waiting.answer.send(Err(why.clone()));
                }
                return;
            }
            Fate::Stored => {
                let id = first.event.id;
                // whoever asked may be gone by now; the event is stored all the same
                let _ = first.answer.send(Ok(Accepted { id, duplicate: false }));
                (id, key.map(|key| key.body), again)
            }
            Fate::CameBefore => {
                let known = key.and_then(|key| firsts.get(&key.key));
                let repeats = std::iter::once(first).chain(again).collect();
                let Some(known) = known else {
                    return refuse(repeats, "It seems to be a repeat, but that could not be made sure. Send it again.");
                };
                (known.event, Some(known.body_hash), repeats)
            }
        };
        for waiting in repeats {
            let own = waiting.event.key.map(|key| key.body);
            if own != body {
                self.record_reused_id(&waiting, id);
            }
            let _ = waiting.answer.send(Ok(Accepted { id, duplicate: true }));
        }
    }

    fn record_reused_id(&self, waiting: &Waiting, first: EventId) {
        self.rejections.record(&Rejection {
            source: &waiting.source.name,
            reason: RejectionReason::IdReused,
            detail: &format!(
                "The id “{}” came before, with other content, as event {first}. The first one counts.",
                waiting.event.webhook_id.as_deref().unwrap_or_default()
            ),
            at: waiting.event.received_at,
            headers: &|| waiting.event.headers.clone(),
            body: &waiting.event.body,
        });
    }

    /// Does something on the connection that is kept from batch to batch; one that failed or hung is thrown away.
    async fn with_connection<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut sqlx::PgConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let done = tokio::time::timeout(self.patience, async {
            let conn = match &mut self.connection {
                Some(conn) => conn,
                none => none.insert(self.pool.acquire().await?),
            };
            work(conn).await
        });
        let done = done.await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        if done.as_ref().is_err_and(|error| error.as_database_error().is_none()) {
            drop(self.connection.take().map(PoolConnection::detach));
        }
        done
    }
}

/// Waits until then; for ever, if there is no such moment.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => pending().await,
    }
}
