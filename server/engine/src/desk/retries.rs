//! Trying many again.

use super::{Desk, commit};
use crate::clock::new_id;
use crate::live;
use crate::store::{audit, failure, internal, retry};
use chrono::TimeDelta;
use model::{
    Actor, BulkState, Change, ChangeTopic, FailureKind, FailureQuery, NewRetry, Refusal, Retry, RetryId, RetryPatch,
    Role, SourceId,
};
use serde_json::json;
use sqlx::{PgConnection, Postgres, Transaction};

const MOST_A_SECOND: u32 = 10_000;
/// A changed mapping is tried on events this young.
const REMAPPED: TimeDelta = TimeDelta::days(35);

impl Desk {
    pub(super) async fn begin_retry(&self, actor: &Actor, new: NewRetry) -> Result<Retry, Refusal> {
        actor.must_be(Role::Support)?;
        check_rate(new.rate)?;
        let query = wanted(&new)?;
        if new.dry_run {
            let total = failure::count_retryable(&mut *self.conn().await?, &query).await?;
            return Ok(preview(new, actor, total));
        }
        let (id, now) = (RetryId(new_id()), self.clock.now());
        let mut tx = self.begin().await?;
        let total = retry::create(&mut tx, id, actor, &new, &query, now).await?;
        let detail = json!({"filter": new.filter, "rate": new.rate, "total": total});
        audit::write(&mut tx, now, actor, "retry.started", ("retry", id.to_string()), detail)
            .await
            .map_err(internal)?;
        self.finish_retry(tx, id).await
    }

    pub(super) async fn read_retry(&self, actor: &Actor, id: RetryId) -> Result<Retry, Refusal> {
        actor.must_be(Role::Viewer)?;
        Ok(one(&mut *self.conn().await?, id).await?.0)
    }

    pub(super) async fn patch_retry(&self, actor: &Actor, id: RetryId, patch: RetryPatch) -> Result<Retry, Refusal> {
        actor.must_be(Role::Support)?;
        check_rate(patch.rate)?;
        if !matches!(patch.state, None | Some(BulkState::Running | BulkState::Paused)) {
            return Err(Refusal::invalid("state", "paused or running; to cancel it, delete it"));
        }
        self.turn_retry(actor, id, patch).await
    }

    pub(super) async fn end_retry(&self, actor: &Actor, id: RetryId) -> Result<Retry, Refusal> {
        actor.must_be(Role::Support)?;
        self.turn_retry(actor, id, RetryPatch { state: Some(BulkState::Cancelled), rate: None }).await
    }

    async fn turn_retry(&self, actor: &Actor, id: RetryId, patch: RetryPatch) -> Result<Retry, Refusal> {
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        if !retry::change(&mut tx, id, patch.state, patch.rate, now).await.map_err(internal)? {
            let (retry, _) = one(&mut tx, id).await?;
            let state = retry.state.unwrap_or(BulkState::Done).words().to_lowercase();
            return Err(Refusal::Conflict(format!("This has ended: it is {state}. Start it again for what is left.")));
        }
        let detail = json!({"state": patch.state, "rate": patch.rate});
        audit::write(&mut tx, now, actor, "retry.changed", ("retry", id.to_string()), detail)
            .await
            .map_err(internal)?;
        self.finish_retry(tx, id).await
    }

    /// Tells everybody, which wakes the workers too, and commits.
    async fn finish_retry(&self, mut tx: Transaction<'static, Postgres>, id: RetryId) -> Result<Retry, Refusal> {
        let (retry, version) = one(&mut tx, id).await?;
        live::announce(&mut tx, &[Change::new(ChangeTopic::Retry, id, version)]).await.map_err(internal)?;
        commit(tx).await?;
        Ok(retry)
    }

    /// A source's mappings have changed: what was not recognised, or rests as failed, is tried again in the caller's transaction.
    /// A retry of its own, so that it goes step by step behind live traffic, can be looked at and cancelled.
    pub(super) async fn try_mappings(
        &self,
        conn: &mut PgConnection,
        actor: &Actor,
        source: SourceId,
    ) -> Result<(), Refusal> {
        let (id, now) = (RetryId(new_id()), self.clock.now());
        let since = now - REMAPPED;
        let total = retry::create_for_mappings(conn, id, actor, source, since, now).await.map_err(internal)?;
        if total > 0 {
            let detail = json!({"source": source, "total": total, "because": "its mappings were changed"});
            let subject = ("retry", id.to_string());
            audit::write(conn, now, actor, "retry.started", subject, detail).await.map_err(internal)?;
            live::announce(conn, &[Change::new(ChangeTopic::Retry, id, 1)]).await.map_err(internal)?;
        }
        Ok(())
    }
}

async fn one(conn: &mut PgConnection, id: RetryId) -> Result<(Retry, i64), Refusal> {
    let found = retry::get(conn, id).await.map_err(internal)?;
    found.ok_or_else(|| Refusal::NotFound("This retry".to_owned()))
}

fn check_rate(rate: Option<u32>) -> Result<(), Refusal> {
    match rate {
        Some(rate) if !(1..=MOST_A_SECOND).contains(&rate) => {
            Err(Refusal::invalid("rate", format!("from 1 to {MOST_A_SECOND} a second")))
        }
        _ => Ok(()),
    }
}

/// What is wanted, of what can be tried again.
fn wanted(new: &NewRetry) -> Result<FailureQuery, Refusal> {
    let query = new.filter.query()?;
    if query.path.is_some() && query.q.is_none() {
        return Err(Refusal::invalid("filter.path", "say with “q” which text to look for there"));
    }
    let none = !query.kind.is_empty()
        && query.kind.iter().all(|kind| matches!(kind, FailureKind::Rejection | FailureKind::Gap));
    if none {
        return Err(Refusal::invalid(
            "filter.kind",
            "What was turned away, and what never came, is not ours to try again. Makini may send it again.",
        ));
    }
    Ok(query)
}

fn preview(new: NewRetry, actor: &Actor, total: i64) -> Retry {
    Retry {
        id: None,
        state: None,
        filter: new.filter,
        rate: new.rate.unwrap_or(retry::RATE),
        total,
        done: 0,
        failed: 0,
        skipped: 0,
        let_go: 0,
        remaining: total,
        by: actor.name.clone(),
        started_at: None,
        ended_at: None,
        errors: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(filter: serde_json::Value) -> NewRetry {
        serde_json::from_value(json!({"filter": filter})).unwrap()
    }

    #[test]
    fn only_what_can_be_tried_again_is_wanted() {
        assert_eq!(wanted(&wish(json!({}))).unwrap(), FailureQuery::default());
        assert_eq!(wanted(&wish(json!({"kind": ["delivery", "gap"]}))).unwrap().kind.len(), 2);
        assert!(matches!(wanted(&wish(json!({"kind": "gap"}))), Err(Refusal::Invalid(_))));
        assert!(matches!(wanted(&wish(json!({"colour": "red"}))), Err(Refusal::Invalid(_))));
        assert!(check_rate(Some(0)).is_err() && check_rate(Some(10_001)).is_err());
        assert!(check_rate(None).is_ok() && check_rate(Some(10_000)).is_ok());
    }
}
