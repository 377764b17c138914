//! Everything that failed.

use super::{Desk, commit};
use crate::store::{audit, event, failure, gap, internal, redaction, rejection};
use model::{
    Actor, EventId, Failure, FailureGroup, FailureHint, FailureQuery, FailureSummary, GapId, GapView, Page, Refusal,
    Rejection, RejectionId, RejectionReason, Revealed, Role,
};
use serde_json::json;

/// So many requests in a row, all turned away, are no chance.
const STANDS_OUT: u64 = 3;

impl Desk {
    pub(super) async fn list_failures(&self, actor: &Actor, query: FailureQuery) -> Result<Page<Failure>, Refusal> {
        actor.must_be(Role::Viewer)?;
        may_search(actor, &query)?;
        failure::list(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn sum_failures(&self, actor: &Actor, query: FailureQuery) -> Result<FailureSummary, Refusal> {
        actor.must_be(Role::Viewer)?;
        may_search(actor, &query)?;
        let mut conn = self.conn().await?;
        let counts = failure::counts(&mut conn, &query).await?;
        let (errors, connections) = failure::occurring(&mut conn, &query).await?;
        let shut = rejection::shut_out(&mut conn, &query.source, self.clock.now()).await.map_err(internal)?;
        let hints = shut.into_iter().filter(|shut| shut.count >= STANDS_OUT).map(|shut| FailureHint {
            source: shut.source,
            source_name: shut.name,
            since: shut.since,
            count: shut.count,
            text: probably(shut.reason),
        });
        Ok(FailureSummary { counts, hints: hints.collect(), errors, connections })
    }

    pub(super) async fn group_failures(
        &self,
        actor: &Actor,
        query: FailureQuery,
    ) -> Result<Vec<FailureGroup>, Refusal> {
        actor.must_be(Role::Viewer)?;
        may_search(actor, &query)?;
        failure::groups(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn read_rejection(&self, actor: &Actor, id: RejectionId) -> Result<Rejection, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let found = rejection::get(&mut conn, id).await.map_err(internal)?;
        let mut found = found.ok_or_else(|| Refusal::NotFound("This rejection".to_owned()))?;
        if actor.must_be(Role::Support).is_err() {
            found.excerpt.clear();
        } else {
            let rules = redaction::rules(&mut conn).await.map_err(internal)?;
            found.excerpt = rules.at(found.received_at).redact(&found.excerpt).into_owned();
        }
        Ok(found)
    }

    pub(super) async fn read_gap(&self, actor: &Actor, id: GapId) -> Result<GapView, Refusal> {
        actor.must_be(Role::Viewer)?;
        let found = gap::get(&mut *self.conn().await?, id, self.clock.now()).await.map_err(internal)?;
        found.ok_or_else(|| Refusal::NotFound("This gap".to_owned()))
    }

    pub(super) async fn show_payload(&self, actor: &Actor, id: EventId) -> Result<Revealed, Refusal> {
        actor.must_be(Role::Support)?;
        let mut tx = self.begin().await?;
        let found = event::get(&mut tx, id).await.map_err(internal)?;
        let payload = found.and_then(|event| event.payload);
        let payload = payload.ok_or_else(|| Refusal::NotFound("This event".to_owned()))?;
        let subject = ("event", id.to_string());
        audit::write(&mut tx, self.clock.now(), actor, "event.revealed", subject, json!({})).await.map_err(internal)?;
        commit(tx).await?;
        let json = serde_json::from_str(&payload).unwrap_or_default();
        Ok(Revealed { payload, json })
    }
}

/// Who may not see payloads may not feel for what is in them either.
fn may_search(actor: &Actor, query: &FailureQuery) -> Result<(), Refusal> {
    if query.path.is_some() && query.q.is_none() {
        return Err(Refusal::invalid("path", "say with “q” which text to look for there"));
    }
    if query.q.is_some() { actor.must_be(Role::Support) } else { Ok(()) }
}

/// What is probably wrong when every request is turned away for one reason.
fn probably(reason: RejectionReason) -> String {
    match reason {
        RejectionReason::SignatureWrong => {
            "Every request has a wrong signature: was the webhook secret changed at Makini?".to_owned()
        }
        RejectionReason::SignatureMissing => {
            "No request is signed: was the webhook secret taken away at Makini, or does somebody in between drop headers?"
                .to_owned()
        }
        RejectionReason::NoSecret => {
            "Every request is turned away, because this source has no webhook secret: set the one that Makini signs with."
                .to_owned()
        }
        other => format!("Every request is turned away: {}.", other.words().to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_says_what_to_look_at() {
        assert!(probably(RejectionReason::SignatureWrong).contains("was the webhook secret changed at Makini?"));
        assert_eq!(probably(RejectionReason::TooLarge), "Every request is turned away: too large.");
    }

    #[test]
    fn a_place_without_a_text_is_refused() {
        let actor = Actor {
            kind: model::ActorKind::Token(model::TokenId(uuid::Uuid::nil())),
            name: "machine".to_owned(),
            role: Role::Viewer,
        };
        let ask = |query: &str| may_search(&actor, &FailureQuery::from_query(query).unwrap());
        assert!(matches!(ask("path=data"), Err(Refusal::Invalid(_))));
        assert!(matches!(ask("q=secret"), Err(Refusal::Forbidden(_))));
        assert_eq!(ask("kind=gap"), Ok(()));
    }
}
