//! Closer looks: at what changed, is unwell, is due a proof, was missing, or what a person asks about.

use super::thin::{self, Word, Worth};
use super::{Poller, skew, when};
use crate::clock::new_id;
use crate::health::{Facts, Policy, Sighted, Sighting, State, facts_of_closer, observe, remove, tells_something};
use crate::live;
use crate::makini::{self, Answer, Closer, ErrorClass, Tells, UpstreamError};
use crate::store::{self, connection, connection::DueCheck};
use crate::work::{Step, backoff};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream::FuturesUnordered};
use model::{Change, ChangeTopic, Eye, Source, SourceId};
use std::collections::HashMap;

/// More than three times what two requests, one new sign-in and the wait for the budget may take.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(300);
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

    /// Looks at one, and writes down what was seen. Answers why it could not be seen, if it could not.
    pub(super) async fn look(
        &self,
        check: &DueCheck,
        source: &Source,
        leased_at: DateTime<Utc>,
    ) -> Result<Option<UpstreamError>, sqlx::Error> {
        let answer = match self.upstreams.of(source) {
            Ok(upstream) => upstream.one(&check.key).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => self.take(check, source, leased_at, &answer).await.map(|()| None),
            Err(error) => self.put_off(check, leased_at, &error).await.map(|()| Some(error)),
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
        } else if let Some(state) = connection::lock(&mut tx, &[check.id.0]).await?.pop() {
            let closer = thin::beside_the_list(&answer.value, &state, source);
            let (sighted, worth) = sighted(check, source, answer, &closer, &state, now);
            let policy = store::source::policy_with_hearing(&mut tx, source, now).await?;
            let sighted = Sighted { policy, ..sighted };
            let asked = match worth {
                Worth::Evidence(facts) => {
                    let sighting = Sighting { facts, ..sighted.sighting };
                    let sighted = Sighted { sighting, ..sighted };
                    if only_confirms(check, source, &state, &sighted, now) {
                        connection::renew_proofs(&mut tx, &[(check.id, answer.sent_at, Eye::Check)]).await?;
                        false
                    } else {
                        observe(&mut tx, &[sighted], now).await?.checks
                    }
                }
                Worth::Nothing | Worth::ALook => {
                    if thin::is_new(&state, &sighted) {
                        thin::note(&mut tx, &[(sighted, false)], now).await?;
                    }
                    false
                }
            };
            let state = connection::lock(&mut tx, &[check.id.0]).await?.pop();
            next = match state {
                _ if asked => Some((now + TimeDelta::seconds(2), "conflict")),
                Some(state) => when::next_look(source, &closer, &state, now),
                None => None,
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
        let hopeless = error.class == ErrorClass::AddressRefused;
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

/// Whether this is a look like all others, where looks do what rounds do elsewhere, and it shows nothing new: then, as there, it
/// renews the proof and nothing else.
fn only_confirms(check: &DueCheck, source: &Source, state: &State, sighted: &Sighted, now: DateTime<Utc>) -> bool {
    let routine = matches!(check.reason.as_str(), "proof" | "unwell") && !makini::list_tells_syncs(source.dialect);
    let as_of_a_round = || {
        let sighting = Sighting { eye: Eye::Poll, ..sighted.sighting.clone() };
        Sighted { sighting, ..sighted.clone() }
    };
    routine && !tells_something(state, &as_of_a_round(), now)
}

/// What was seen, and what it is worth. Its facts are in the worth.
fn sighted(
    check: &DueCheck,
    source: &Source,
    answer: &Answer<Closer>,
    closer: &Closer,
    state: &State,
    now: DateTime<Utc>,
) -> (Sighted, Worth) {
    let mut facts = facts_of_closer(closer);
    facts.last_good_sync_at = facts.last_good_sync_at.map(|at| at.min(now));
    let upstream_error = facts.detail.as_ref().map(|detail| match &answer.request_id {
        Some(request) => format!("{detail} · request {request}"),
        None => detail.clone(),
    });
    let sighted = Sighted {
        connection: check.id,
        sighting: Sighting { eye: Eye::Check, at: answer.sent_at, own_at: None, facts: Facts::default() },
        received_at: now,
        skew: skew(answer).unwrap_or_default(),
        policy: Policy::from(source),
        raw_status: closer.raw_status.clone(),
        description: None,
        upstream_error: Some(upstream_error),
        event: None,
    };
    // that a sync is under way says nothing, whatever was known before
    if closer.tells == Tells::SetUp && closer.sync.is_some() {
        return (sighted, Worth::Nothing);
    }
    let word = Word { raw: closer.raw_status.as_deref(), status: closer.status, tells: closer.tells };
    (sighted, thin::weigh(facts, word, state, source, false))
}
