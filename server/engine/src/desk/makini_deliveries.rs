//! What Makini itself could not deliver.

use super::{Desk, commit};
use crate::makini::{ErrorClass, Outgoing, Upstream, UpstreamError};
use crate::store::{audit, connection, cursor, internal, source};
use model::{Actor, MakiniDelivery, Page, PageQuery, Refusal, Role, Source, SourceId};
use serde_json::json;

/// What is listed, newest first: what is still tried is younger than what was given up. Makini lists one of them at a time.
const STATUSES: [&str; 2] = ["pending", "failed"];

/// Where a page begins: in which of the two lists, and where upstream says.
type Position = (usize, Option<String>);

impl Desk {
    pub(super) async fn list_makini_deliveries(
        &self,
        actor: &Actor,
        id: SourceId,
        page: PageQuery,
    ) -> Result<Page<MakiniDelivery>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let (at, within): Position = page.cursor.as_deref().map(cursor::read).transpose()?.unwrap_or_default();
        let Some(status) = STATUSES.get(at) else {
            return Err(Refusal::invalid("cursor", "this page address is damaged; go back to the first page"));
        };
        let upstream = self.upstream_of(id).await?;
        let answer =
            upstream.deliveries(status, within.as_deref(), page.limit()).await.map_err(|error| refuse(&error))?;
        let next: Option<Position> = match answer.value.next_cursor {
            Some(next) => Some((at, Some(next))),
            None => (at + 1 < STATUSES.len()).then_some((at + 1, None)),
        };
        let items = self.with_connections(id, answer.value.items).await?;
        Ok(Page { items, next_cursor: next.map(|next| cursor::write(&next)) })
    }

    pub(super) async fn ask_makini_again(&self, actor: &Actor, id: SourceId, delivery: String) -> Result<(), Refusal> {
        actor.must_be(Role::Support)?;
        let upstream = self.upstream_of(id).await?;
        upstream.retry_delivery(&delivery).await.map_err(|error| match (error.class, error.status) {
            (ErrorClass::NotFound, _) => Refusal::NotFound("This webhook of Makini's".to_owned()),
            (_, Some(409)) => {
                Refusal::Conflict("Makini has delivered this webhook, or is sending it just now.".to_owned())
            }
            _ => refuse(&error),
        })?;
        let (now, detail) = (self.clock.now(), json!({"delivery": delivery}));
        let mut tx = self.begin().await?;
        let subject = ("source", id.to_string());
        audit::write(&mut tx, now, actor, "source.delivery_asked_again", subject, detail).await.map_err(internal)?;
        commit(tx).await
    }

    async fn upstream_of(&self, id: SourceId) -> Result<Upstream, Refusal> {
        let found = source::list(&mut *self.conn().await?, Some(id), &self.public_url).await.map_err(internal)?;
        let source: Source = found.into_iter().next().ok_or_else(|| Refusal::NotFound("This source".to_owned()))?;
        self.upstreams.of(&source).map_err(|error| Refusal::Unavailable(error.to_string()))
    }

    async fn with_connections(&self, id: SourceId, items: Vec<Outgoing>) -> Result<Vec<MakiniDelivery>, Refusal> {
        let mut keys: Vec<_> = items.iter().filter_map(|item| item.connection_key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        let known = connection::refs_by_keys(&mut *self.conn().await?, id, &keys).await.map_err(internal)?;
        let shown = items.into_iter().map(|item| {
            let connection = item.connection_key.as_ref().and_then(|key| known.get(key));
            MakiniDelivery {
                id: item.id,
                kind: item.kind,
                connection_key: item.connection_key,
                connection: connection.cloned(),
                status: item.status,
                created_at: item.created_at,
                next_attempt_at: item.next_attempt_at,
                attempts_count: item.attempts,
                error: item.error,
            }
        });
        Ok(shown.collect())
    }
}

/// Why upstream's own log cannot be shown.
fn refuse(error: &UpstreamError) -> Refusal {
    match error.class {
        ErrorClass::NotFound => Refusal::NotFound("This source does not tell of its own failed webhooks.".to_owned()),
        _ => Refusal::Unavailable(format!("Makini did not answer: {error}")),
    }
}
