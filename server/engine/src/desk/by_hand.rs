//! What a person has done with one connection now.

use super::{Desk, commit, connections};
use crate::poll::start_sync;
use crate::store::{audit, connection, internal};
use model::{Actor, ConnectionDetail, ConnectionId, NewSync, Refusal, Role, SyncKind};
use serde_json::json;

impl Desk {
    /// Asks for a check; one that waits or runs already is not doubled.
    pub(super) async fn ask_for_check(&self, actor: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        if !connection::ask_for_check(&mut tx, id, now).await.map_err(internal)? {
            let detail = connections::detail(&mut tx, id).await?;
            return if detail.removed_at.is_none() { Ok(detail) } else { Err(connections::not_found()) };
        }
        audit::write(&mut tx, now, actor, "connection.check_asked", ("connection", id.to_string()), json!({}))
            .await
            .map_err(internal)?;
        let detail = connections::detail(&mut tx, id).await?;
        connections::announce(&mut tx, &detail).await?;
        commit(tx).await?;
        self.checks.notify_one();
        Ok(detail)
    }

    pub(super) async fn ask_for_sync(
        &self,
        actor: &Actor,
        id: ConnectionId,
        new: NewSync,
    ) -> Result<ConnectionDetail, Refusal> {
        actor.must_be(Role::Support)?;
        let kind = new.kind.unwrap_or(SyncKind::Incremental);
        start_sync(&self.pool, &self.upstreams, &self.clock, actor, id, kind)
            .await
            .map_err(|not_started| not_started.refusal)?;
        self.checks.notify_one();
        connections::detail(&mut *self.conn().await?, id).await
    }
}
