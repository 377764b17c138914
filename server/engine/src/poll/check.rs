//! Closer looks: at what changed, is unwell, is due a proof, was missing, or what a person asks about.

use super::{Poller, skew};
use crate::clock::new_id;
use crate::health::{Policy, Sighted, Sighting, facts_of_closer, observe, remove};
use crate::live;
use crate::makini::{Answer, Closer, ErrorClass, UpstreamError};
use crate::store::{self, connection, connection::DueCheck};
use crate::work::{Step, backoff};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream::FuturesUnordered};
use model::{Change, ChangeTopic, Eye, Source, SourceId};
use std::collections::HashMap;

/// More than three times what two requests, one new sign-in and the wait for the budget may take.
const LEASE: TimeDelta = TimeDelta::seconds(300);
/// How many at a time.
const AT_ONCE: usize = 16;

impl Poller {
    /// Looks closer at connections that are due.
    pub async fn check(&self) -> Result<Step, sqlx::Error> {
        let leased_at = self.clock.now();
        let mut conn = self.pool.acquire().await?;
        let due = connection::lease_checks(&mut conn, leased_at, leased_at + LEASE, new_id(), AT_ONCE as i64).await?;
        if due.is_empty() {
            return Ok(Step::Idle);
        }
        let sources: HashMap<SourceId, Source> =
            store::source::list(&mut conn, None, "").await?.into_iter().map(|source| (source.id, source)).collect();
        drop(conn);
        let mut looks = FuturesUnordered::new();
        for check in &due {
            if let Some(source) = sources.get(&check.source_id) {
                looks.push(self.look(check, source, leased_at));
            }
        }
        let mut first_error = None;
        while let Some(result) = looks.next().await {
            first_error = first_error.or(result.err());
        }
        first_error.map_or(Ok(Step::Busy), Err)
    }

    async fn look(&self, check: &DueCheck, source: &Source, leased_at: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let answer = match self.upstreams.of(source) {
            Ok(upstream) => upstream.one(&check.key).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => self.take(check, source, leased_at, &answer).await,
            Err(error) => self.put_off(check, leased_at, &error).await,
        }
    }

    async fn take(
        &self,
        check: &DueCheck,
        source: &Source,
        leased_at: DateTime<Utc>,
        answer: &Answer<Closer>,
    ) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let mut next = None;
        if answer.value.gone {
            remove(&mut tx, check.id, now).await?;
        } else {
            let observed = observe(&mut tx, &[sighted(check, source, answer, now)], now).await?;
            let state = connection::lock(&mut tx, &[check.id.0]).await?.pop();
            next = match state {
                _ if observed.checks => Some((now + TimeDelta::seconds(2), "conflict")),
                Some(state) if state.health.needs_attention() => {
                    let wait =
                        TimeDelta::seconds(source.poll_interval_seconds.saturating_mul(10)).max(TimeDelta::minutes(1));
                    Some((now + wait, "unwell"))
                }
                Some(_) if source.cadence_seconds.is_none() => Some((now + TimeDelta::hours(6), "proof")),
                _ => None,
            };
        }
        let Some(version) = connection::finish_check(&mut tx, check, leased_at, next, 0).await? else {
            // another process took it over after our lease ran out: what it saw counts, and ours is not written
            return tx.rollback().await;
        };
        live::announce(&mut tx, &[Change::quiet(ChangeTopic::Connection, check.id, version)]).await?;
        tx.commit().await
    }

    /// Our own failure: nothing is said against the connection; it is looked at later.
    async fn put_off(
        &self,
        check: &DueCheck,
        leased_at: DateTime<Utc>,
        error: &UpstreamError,
    ) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let attempt = check.attempt + 1;
        let wait =
            backoff(u32::try_from(attempt).unwrap_or(1), TimeDelta::seconds(2), TimeDelta::minutes(10), rand::random());
        let asked = error.retry_after.and_then(|after| TimeDelta::from_std(after).ok()).unwrap_or_default();
        let hopeless = matches!(error.class, ErrorClass::DialectNotServed | ErrorClass::AddressRefused);
        // a person who asked sees on the page that the source cannot be reached; the wish itself does not wait for ever
        let given_up = hopeless || (check.reason == "person" && attempt >= 5);
        let next = (!given_up).then(|| (now + wait.max(asked), check.reason.as_str()));
        tracing::info!(connection = %check.id, class = error.class.code(), attempt, "could not look at a connection: {error}");
        let mut tx = self.pool.begin().await?;
        if let Some(version) = connection::finish_check(&mut tx, check, leased_at, next, attempt).await? {
            live::announce(&mut tx, &[Change::quiet(ChangeTopic::Connection, check.id, version)]).await?;
        }
        tx.commit().await
    }
}

fn sighted(check: &DueCheck, source: &Source, answer: &Answer<Closer>, now: DateTime<Utc>) -> Sighted {
    let mut facts = facts_of_closer(&answer.value);
    facts.last_good_sync_at = facts.last_good_sync_at.map(|at| at.min(now));
    let upstream_error = facts.detail.as_ref().map(|detail| match &answer.request_id {
        Some(request) => format!("{detail} · request {request}"),
        None => detail.clone(),
    });
    Sighted {
        connection: check.id,
        sighting: Sighting { eye: Eye::Check, at: answer.sent_at, own_at: None, facts },
        received_at: now,
        skew: skew(answer).unwrap_or_default(),
        policy: Policy::from(source),
        raw_status: answer.value.raw_status.clone(),
        description: None,
        upstream_error: Some(upstream_error),
        event: None,
    }
}
