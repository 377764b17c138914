//! Events on their way to endpoints.

use super::{Desk, commit};
use crate::relay;
use crate::store::{audit, delivery, delivery_list, endpoint, event, internal, lane, redaction};
use crate::webhook::redaction::Rules;
use model::{Actor, AttemptTrigger, Delivery, DeliveryId, DeliveryQuery, DeliveryState, Page, Refusal, Role};
use serde_json::json;

impl Desk {
    pub(super) async fn list_deliveries(&self, actor: &Actor, query: DeliveryQuery) -> Result<Page<Delivery>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let ids = match query.event {
            None => None,
            // which those are follows from the event and the endpoints alone
            Some(id) => {
                let Some(event) = event::get(&mut conn, id).await.map_err(internal)? else {
                    return Ok(Page { items: Vec::new(), next_cursor: None });
                };
                let endpoints = endpoint::ids(&mut conn).await.map_err(internal)?;
                let received_at = event.event.received_at;
                Some(endpoints.into_iter().map(|endpoint| relay::delivery_id(id, received_at, endpoint)).collect())
            }
        };
        let rules = redaction::rules(&mut conn).await.map_err(internal)?;
        let mut page = delivery_list::list(&mut conn, &query, ids).await?;
        page.items = page.items.into_iter().map(|delivery| shown(&rules, delivery)).collect();
        Ok(page)
    }

    pub(super) async fn read_delivery(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let rules = redaction::rules(&mut conn).await.map_err(internal)?;
        let found = delivery_list::get(&mut conn, id).await?.ok_or_else(not_found)?;
        Ok(shown(&rules, found))
    }

    /// Due now: a failed one starts its schedule anew, another one keeps it. Two people who ask at once are both right.
    pub(super) async fn requeue_delivery(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = delivery_list::get(&mut tx, id).await?.ok_or_else(not_found)?;
        let refused = |state: DeliveryState| {
            Refusal::Conflict(match state {
                DeliveryState::Done => "This delivery has arrived; there is nothing to retry.".to_owned(),
                DeliveryState::Failed => {
                    "The endpoint of this delivery was taken away; there is nowhere to send it to.".to_owned()
                }
                _ => "This delivery is being sent right now. Look again in a moment.".to_owned(),
            })
        };
        if matches!(before.state, DeliveryState::Done | DeliveryState::Running) {
            return Err(refused(before.state));
        }
        let ids = [(id.0, before.received_at)];
        let mut after = before.clone();
        let by = (AttemptTrigger::Person, actor.name.as_str());
        while delivery::release(&mut tx, &ids, by.0, by.1, None, now).await.map_err(internal)?.is_empty() {
            // something else happened since it was read: if somebody asked at the same moment, it is due by now
            let was = after.state;
            after = delivery_list::get(&mut tx, id).await?.ok_or_else(not_found)?;
            if !matches!(after.state, DeliveryState::Pending | DeliveryState::Waiting) || after.state == was {
                return Err(refused(after.state));
            }
        }
        lane::probe_now(&mut tx, before.endpoint_id, now).await.map_err(internal)?;
        let detail = json!({"endpoint": before.endpoint, "was": before.state});
        audit::write(&mut tx, now, actor, "delivery.retried", ("delivery", id.to_string()), detail)
            .await
            .map_err(internal)?;
        let after = delivery_list::get(&mut tx, id).await?.ok_or_else(not_found)?;
        let rules = redaction::rules(&mut tx).await.map_err(internal)?;
        commit(tx).await?;
        Ok(shown(&rules, after))
    }
}

/// The delivery without what is hidden: an endpoint may answer with what it was sent, and with values of its own.
fn shown(rules: &Rules, mut delivery: Delivery) -> Delivery {
    for sent in &mut delivery.attempts {
        if let Some(answer) = &mut sent.answer {
            let hidden = rules.between(delivery.received_at, sent.attempt.started_at);
            *answer = hidden.redact(answer).into_owned();
        }
    }
    delivery
}

fn not_found() -> Refusal {
    Refusal::NotFound("This delivery".to_owned())
}
