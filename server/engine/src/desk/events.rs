//! Received webhooks.

use super::{Desk, commit};
use crate::live;
use crate::store::{audit, event, event_end, internal, redaction};
use model::{Actor, Change, ChangeTopic, Event, EventDetail, EventId, EventQuery, Page, Refusal, Role};
use serde_json::json;
use sqlx::PgConnection;

impl Desk {
    pub(super) async fn list_events(&self, actor: &Actor, query: EventQuery) -> Result<Page<Event>, Refusal> {
        actor.must_be(Role::Viewer)?;
        event::list(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn read_event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let detail = event::get(&mut conn, id).await.map_err(internal)?.ok_or_else(not_found)?;
        shown(&mut conn, actor, detail).await
    }

    pub(super) async fn requeue_event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = event::get(&mut tx, id).await.map_err(internal)?.ok_or_else(not_found)?;
        if !event_end::requeue(&mut tx, id, &actor.name, now).await.map_err(internal)? {
            return Err(Refusal::Conflict(format!(
                "This event is {}; only one that failed, is to be tried again later, or was not recognised can be processed again.",
                before.event.state.words().to_lowercase()
            )));
        }
        audit::write(&mut tx, now, actor, "event.retried", ("event", id.to_string()), json!({}))
            .await
            .map_err(internal)?;
        live::announce(&mut tx, &[Change::new(ChangeTopic::Event, id, 0)]).await.map_err(internal)?;
        let detail = event::get(&mut tx, id).await.map_err(internal)?.ok_or_else(not_found)?;
        let detail = shown(&mut tx, actor, detail).await?;
        commit(tx).await?;
        self.events.notify_one();
        Ok(detail)
    }
}

/// The event as this role may see it: without the values that are hidden, by the rules of when it came or by those of now.
async fn shown(conn: &mut PgConnection, actor: &Actor, mut detail: EventDetail) -> Result<EventDetail, Refusal> {
    if actor.must_be(Role::Support).is_err() {
        detail.payload = None;
    } else if let Some(came) = &detail.payload {
        let rules = redaction::rules(conn).await.map_err(internal)?;
        detail.payload = Some(rules.at(detail.event.received_at).redact(came).into_owned());
    }
    Ok(detail)
}

fn not_found() -> Refusal {
    Refusal::NotFound("This event".to_owned())
}
