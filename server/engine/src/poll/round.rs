//! A round: every connection that a source lists, page by page, under one lease.

use super::reading::Reading;
use super::sweep::{Swept, sweep};
use super::{Poller, skew};
use crate::clock::new_id;
use crate::live;
use crate::makini::{ErrorClass, UpstreamError};
use crate::store::{self, source::DueRound, source::GoodRound};
use crate::work::{Step, backoff};
use chrono::{DateTime, TimeDelta, Utc};
use model::{AttemptError, Change, ChangeTopic, ConnectionId, Source};

/// Three times the longest time-out of one request, and renewed after every page.
const LEASE: TimeDelta = TimeDelta::seconds(120);

/// A list of more pages, or one that takes longer, has no end.
const MOST_PAGES: usize = 20_000;
const LONGEST: TimeDelta = TimeDelta::minutes(15);
/// How soon a round that failed in our own database is tried again.
const AGAIN: TimeDelta = TimeDelta::seconds(5);

/// Why a round ended early.
enum Broken {
    /// Upstream, or the way to it.
    Upstream(UpstreamError),
    /// Another process took over.
    LeaseLost,
    /// Our own database.
    Store(sqlx::Error),
}

impl From<sqlx::Error> for Broken {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl Poller {
    /// Lists one source that is due.
    pub async fn round(&self) -> Result<Step, sqlx::Error> {
        let now = self.clock.now();
        let mut conn = self.pool.acquire().await?;
        let Some(due) = store::source::lease(&mut conn, now, now + LEASE, new_id()).await? else {
            return Ok(Step::Idle);
        };
        let Some(source) = store::source::list(&mut conn, Some(due.source_id), "").await?.pop() else {
            return Ok(Step::Idle);
        };
        drop(conn);
        match self.list(&due, &source, now).await {
            Ok(good) => {
                self.end_well(&due, &source, &good).await?;
                self.describe_platforms(&source).await?;
            }
            Err(Broken::Upstream(error)) => self.end_badly(&due, &source, &error).await?,
            Err(Broken::LeaseLost) => {
                tracing::warn!(source = source.name, "another process took over the round over {}", source.name);
            }
            Err(Broken::Store(error)) => {
                // It is no fault of the source, so it need not rest until the lease runs out.
                let mut conn = self.pool.acquire().await?;
                store::source::give_back(&mut conn, &due, self.clock.now() + AGAIN).await?;
                return Err(error);
            }
        }
        Ok(Step::Busy)
    }

    async fn list(&self, due: &DueRound, source: &Source, began_at: DateTime<Utc>) -> Result<GoodRound, Broken> {
        let upstream = self.upstreams.of(source).map_err(Broken::Upstream)?;
        let mut good = GoodRound { began_at, duration_ms: 0, listed: 0, api_version: None, skew_ms: source.skew_ms };
        let (mut cursor, mut reading) = (None, Reading::default());
        let policy =
            store::source::policy_with_hearing(&mut *self.pool.acquire().await?, source, self.clock.now()).await?;
        for page in 0.. {
            if page == MOST_PAGES || self.clock.now() - began_at > LONGEST {
                let endless = UpstreamError::new(ErrorClass::Garbage, "Its list of connections does not end.");
                return Err(Broken::Upstream(endless));
            }
            let answer = upstream.list(cursor.as_deref()).await.map_err(Broken::Upstream)?;
            if let Some(skew) = skew(&answer) {
                good.skew_ms = Some(skew.num_milliseconds());
            }
            good.api_version = answer.api_version.or(good.api_version);
            let mut tx = self.pool.begin().await?;
            // what was seen is written only while the round is still ours
            if !store::source::renew(&mut tx, due, self.clock.now() + LEASE).await? {
                return Err(Broken::LeaseLost);
            }
            let skew = TimeDelta::milliseconds(good.skew_ms.unwrap_or(0));
            let swept =
                sweep(&mut tx, (source, policy), &answer.value.seen, answer.sent_at, skew, self.clock.now()).await?;
            tx.commit().await?;
            self.count(source, &swept);
            let brought = reading.take(&answer.value, &swept.ids);
            match answer.value.next_cursor {
                // an upstream that gives the same again would keep us here for ever
                Some(next) if brought && cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => break,
            }
        }
        good.listed = reading.len();
        if reading.undecodable() > 0 {
            let (source, undecodable) = (&source.name, reading.undecodable());
            tracing::warn!(source, undecodable, "{undecodable} connections of {source} could not be read");
        }
        if reading.is_complete() {
            self.miss(source, began_at, &reading).await?;
        }
        good.duration_ms = (self.clock.now() - began_at).num_milliseconds();
        Ok(good)
    }

    /// What a complete list does not hold is looked at closer: it may be gone.
    async fn miss(&self, source: &Source, began_at: DateTime<Utc>, reading: &Reading) -> Result<(), sqlx::Error> {
        let mut conn = self.pool.acquire().await?;
        // without a proof of this round, and not even there
        let mut absent = store::connection::absent(&mut conn, source.id, began_at).await?;
        absent.retain(|id| !reading.holds(ConnectionId(*id)));
        if !absent.is_empty() {
            store::connection::mark_absent(&mut conn, &absent, self.clock.now()).await?;
            self.checks.notify_one();
        }
        Ok(())
    }

    fn count(&self, source: &Source, swept: &Swept) {
        metrics::counter!("linewatch_poll_connections_total", "source" => source.name.clone())
            .increment(swept.ids.len() as u64);
        if swept.observed.checks {
            self.checks.notify_one();
        }
    }

    async fn end_well(&self, due: &DueRound, source: &Source, good: &GoodRound) -> Result<(), sqlx::Error> {
        let interval = TimeDelta::seconds(source.poll_interval_seconds);
        // spread a little, so that sources do not fall into step
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "milliseconds of an hour at most"
        )]
        let jitter =
            TimeDelta::milliseconds((interval.num_milliseconds() as f64 * 0.05 * rand::random::<f64>()) as i64);
        let next_at = (good.began_at + interval + jitter).max(self.clock.now());
        let mut conn = self.pool.acquire().await?;
        store::source::finish_well(&mut conn, due, good, next_at).await?;
        let recovered = source.round.failing_since.is_some() || source.round.good_at.is_none();
        if recovered {
            tracing::info!(source = source.name, listed = good.listed, "rounds over {} succeed", source.name);
        }
        let renamed = good.api_version.as_ref().filter(|version| source.api_version.as_ref() != Some(version));
        if let Some((now, before)) = renamed.zip(source.api_version.as_ref()) {
            tracing::warn!(
                source = source.name,
                "{} now speaks version {now} of its API; it was {before}",
                source.name
            );
            metrics::counter!("linewatch_upstream_version_changes_total", "source" => source.name.clone()).increment(1);
        }
        if recovered || renamed.is_some() {
            live::announce(&mut conn, &[system(source)]).await?;
        }
        metrics::gauge!("linewatch_poll_round_seconds", "source" => source.name.clone())
            .set(std::time::Duration::from_millis(good.duration_ms.unsigned_abs()).as_secs_f64());
        Ok(())
    }

    async fn end_badly(&self, due: &DueRound, source: &Source, error: &UpstreamError) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let told: AttemptError = AttemptError::from(error);
        let own = u32::try_from(due.attempt + 1).unwrap_or(1);
        let wait = backoff(own, TimeDelta::seconds(5), TimeDelta::minutes(5), rand::random());
        let asked = error.retry_after.and_then(|after| TimeDelta::from_std(after).ok()).unwrap_or_default();
        let mut conn = self.pool.acquire().await?;
        store::source::finish_badly(&mut conn, due, &told, now, now + wait.max(asked)).await?;
        metrics::counter!("linewatch_poll_failures_total", "source" => source.name.clone(), "class" => error.class.code())
            .increment(1);
        if source.round.error.as_ref().map(|error| &error.class) != Some(&told.class) {
            tracing::warn!(source = source.name, class = told.class, "the round over {} failed: {error}", source.name);
            live::announce(&mut conn, &[system(source)]).await?;
        }
        Ok(())
    }
}

fn system(source: &Source) -> Change {
    Change::new(ChangeTopic::System, source.id, source.version)
}
