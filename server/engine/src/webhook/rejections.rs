//! Requests turned away: counted always, sampled into a ring, and never worth a statement of their own.
//!
//! Whoever floods the door with rubbish adds to a number in memory; once a second the numbers go to Postgres in one
//! transaction, with at most twenty samples.

use crate::store::rejection::{self, Count, Sample};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use model::RejectionReason;
use sqlx::{Connection, PgPool};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The name under which requests for sources that do not exist are counted.
pub const NO_SOURCE: &str = "?";
/// Between two flushes.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Samples a flush, over all and of one reason at one source: so a flood of one kind does not hide another.
const SAMPLES: usize = 20;
const SAMPLES_OF_A_KIND: usize = 5;
/// Samples that wait while Postgres is away.
const SAMPLES_WAITING: usize = 200;
/// Bytes of a body that a sample keeps.
pub const EXCERPT: usize = 1_024;
/// Characters of a sentence that a sample keeps.
const DETAIL: usize = 500;

/// Counts and samples what is turned away. Cheap to clone.
#[derive(Clone, Default)]
pub struct Rejections(Arc<Mutex<Pending>>);

/// A source's name, an outcome, and the hour.
type Counted = (String, &'static str, DateTime<Utc>);

#[derive(Default)]
struct Pending {
    /// How many, and when the last came.
    counts: HashMap<Counted, (i64, DateTime<Utc>)>,
    samples: Vec<Sample>,
    /// How many of the samples are new since the last flush, by source and reason.
    fresh: HashMap<(String, RejectionReason), usize>,
}

/// One request turned away.
pub struct Rejection<'a> {
    /// The name of the source, or [`NO_SOURCE`].
    pub source: &'a str,
    /// Why.
    pub reason: RejectionReason,
    /// Why, in a sentence.
    pub detail: &'a str,
    /// When.
    pub at: DateTime<Utc>,
    /// The headers worth keeping, as a JSON list of pairs.
    pub headers: &'a dyn Fn() -> String,
    /// The body, or what of it was read.
    pub body: &'a [u8],
}

impl Rejections {
    /// Counts it, and keeps it as a sample if this second has room.
    pub fn record(&self, rejection: &Rejection<'_>) {
        let mut pending = self.lock();
        pending.count(rejection.source, rejection.reason.code(), 1, rejection.at);
        let fresh: usize = pending.fresh.values().sum();
        if fresh >= SAMPLES || pending.samples.len() >= SAMPLES_WAITING {
            return;
        }
        let of_a_kind = pending.fresh.entry((rejection.source.to_owned(), rejection.reason)).or_default();
        if *of_a_kind >= SAMPLES_OF_A_KIND {
            return;
        }
        *of_a_kind += 1;
        pending.samples.push(Sample {
            id: crate::clock::new_id(),
            source_name: rejection.source.to_owned(),
            received_at: rejection.at,
            reason: rejection.reason,
            detail: super::event::clean(rejection.detail, DETAIL).unwrap_or_default(),
            headers: (rejection.headers)(),
            excerpt: rejection.body[..rejection.body.len().min(EXCERPT)].to_vec(),
        });
    }

    /// Counts events taken, for the same hourly figures.
    pub fn taken(&self, source: &str, n: i64, at: DateTime<Utc>) {
        self.lock().count(source, rejection::TAKEN, n, at);
    }

    /// Brings what has gathered into Postgres; what could not be brought stays for the next time.
    pub async fn flush(&self, pool: &PgPool) {
        let gathered = std::mem::take(&mut *self.lock());
        if gathered.counts.is_empty() {
            return;
        }
        if let Err(error) = write(pool, &gathered).await {
            tracing::warn!(%error, "rejections could not be written and wait: {error}");
            self.lock().put_back(gathered);
        }
    }

    /// Flushes every second until dropped.
    pub async fn keep_flushing(&self, pool: &PgPool) {
        loop {
            tokio::time::sleep(FLUSH_EVERY).await;
            self.flush(pool).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn count(&mut self, source: &str, outcome: &'static str, n: i64, at: DateTime<Utc>) {
        let hour = at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
        let (count, last) = self.counts.entry((source.to_owned(), outcome, hour)).or_insert((0, at));
        *count += n;
        *last = at.max(*last);
    }

    fn put_back(&mut self, gathered: Self) {
        for ((source, outcome, hour), (n, last_at)) in gathered.counts {
            let (count, last) = self.counts.entry((source, outcome, hour)).or_insert((0, last_at));
            *count += n;
            *last = last_at.max(*last);
        }
        let newer = std::mem::replace(&mut self.samples, gathered.samples);
        self.samples.extend(newer);
        self.samples.truncate(SAMPLES_WAITING);
    }
}

async fn write(pool: &PgPool, gathered: &Pending) -> sqlx::Result<()> {
    let mut counts: Vec<Count<'_>> = gathered
        .counts
        .iter()
        .map(|((source_name, outcome, hour), (n, last_at))| Count {
            source_name,
            outcome,
            hour: *hour,
            n: *n,
            last_at: *last_at,
        })
        .collect();
    // several processes add to the same rows: always in the same order, so that they never wait for each other in a ring
    counts.sort_unstable_by_key(|count| (count.source_name, count.outcome, count.hour));
    let mut conn = pool.acquire().await?;
    let mut transaction = conn.begin().await?;
    rejection::add(&mut transaction, &counts).await?;
    rejection::insert_samples(&mut transaction, &gathered.samples).await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(rejections: &Rejections, source: &str, reason: RejectionReason) {
        let headers = || "[]".to_owned();
        let (at, body) = (DateTime::UNIX_EPOCH, [b'x'; 2_000]);
        rejections.record(&Rejection { source, reason, detail: "No.\0", at, headers: &headers, body: &body });
    }

    #[test]
    fn a_flood_is_counted_in_full_and_sampled_sparingly() {
        let rejections = Rejections::default();
        for _ in 0..10_000 {
            record(&rejections, NO_SOURCE, RejectionReason::NoSuchSource);
        }
        record(&rejections, "demo", RejectionReason::IdReused);
        for n in 0..1_000 {
            record(&rejections, &format!("source-{n}"), RejectionReason::SignatureWrong);
        }
        let pending = rejections.lock();
        assert_eq!(pending.counts.values().map(|(n, _)| n).sum::<i64>(), 11_001);
        assert_eq!(pending.samples.len(), SAMPLES);
        assert!(pending.samples.iter().any(|sample| sample.reason == RejectionReason::IdReused));
        assert!(pending.samples.iter().all(|sample| sample.excerpt.len() == EXCERPT && sample.detail == "No.\u{fffd}"));
    }

    #[test]
    fn what_could_not_be_written_is_not_forgotten() {
        let rejections = Rejections::default();
        record(&rejections, "demo", RejectionReason::NotJson);
        let gathered = std::mem::take(&mut *rejections.lock());
        record(&rejections, "demo", RejectionReason::NotJson);
        rejections.lock().put_back(gathered);
        let pending = rejections.lock();
        assert_eq!(pending.counts.values().map(|(n, _)| n).sum::<i64>(), 2);
        assert_eq!(pending.samples.len(), 2);
    }
}
