//! Received webhooks.

use super::{Desk, commit};
use crate::live;
use crate::store::{audit, event, event_end, internal};
use model::{Actor, Change, ChangeTopic, Event, EventDetail, EventId, EventQuery, EventState, Page, Refusal, Role};
use serde_json::json;

impl Desk {
    pub(super) async fn list_events(&self, actor: &Actor, query: EventQuery) -> Result<Page<Event>, Refusal> {
        actor.must_be(Role::Viewer)?;
        event::list(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn read_event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut detail = event::get(&mut *self.conn().await?, id).await.map_err(internal)?.ok_or_else(not_found)?;
        if actor.must_be(Role::Support).is_err() {
            detail.payload = None;
        }
        Ok(detail)
    }

    pub(super) async fn requeue_event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = event::get(&mut tx, id).await.map_err(internal)?.ok_or_else(not_found)?;
        if !matches!(before.event.state, EventState::Failed | EventState::Unrecognised) {
            return Err(Refusal::Conflict(format!(
                "This event is {}; only a failed or unrecognised one can be processed again.",
                before.event.state.words().to_lowercase()
            )));
        }
        event_end::requeue(&mut tx, id, now).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "event.retried", ("event", id.to_string()), json!({}))
            .await
            .map_err(internal)?;
        live::announce(&mut tx, &[Change::new(ChangeTopic::Event, id, 0)]).await.map_err(internal)?;
        let detail = event::get(&mut tx, id).await.map_err(internal)?.ok_or_else(not_found)?;
        commit(tx).await?;
        self.events.notify_one();
        Ok(detail)
    }
}

fn not_found() -> Refusal {
    Refusal::NotFound("This event".to_owned())
}
