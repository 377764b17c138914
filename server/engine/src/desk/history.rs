//! A connection over time, and what it can do.

use super::{Desk, connections};
use crate::health;
use crate::store::{internal, record, sync, transition};
use chrono::TimeDelta;
use model::{Actor, Availability, Capability, ConnectionId, Page, PageQuery, Refusal, Role, Sync};

/// Over how many days availability is told.
const WINDOWS: [u16; 3] = [7, 30, 90];

impl Desk {
    pub(super) async fn list_syncs(
        &self,
        actor: &Actor,
        id: ConnectionId,
        page: PageQuery,
    ) -> Result<Page<Sync>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        connections::detail(&mut conn, id).await?;
        sync::list(&mut conn, id, &page).await
    }

    pub(super) async fn read_availability(
        &self,
        actor: &Actor,
        id: ConnectionId,
        days: u16,
    ) -> Result<Availability, Refusal> {
        actor.must_be(Role::Viewer)?;
        if !WINDOWS.contains(&days) {
            return Err(Refusal::invalid("days", "availability is told over 7, 30 or 90 days"));
        }
        let mut conn = self.conn().await?;
        connections::detail(&mut conn, id).await?;
        let now = self.clock.now();
        let from = now - TimeDelta::days(i64::from(days));
        let changes = transition::within(&mut conn, id, from, now).await.map_err(internal)?;
        Ok(health::availability(days, now, &changes))
    }

    pub(super) async fn list_capabilities(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<Capability>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let described = sync::described(&mut conn, id).await.map_err(internal)?;
        let (described, at) = described.ok_or_else(connections::not_found)?;
        let mut proofs = sync::proofs(&mut conn, id).await.map_err(internal)?;
        proofs.extend(record::proofs(&mut conn, id).await.map_err(internal)?);
        Ok(health::capabilities(&described, at, &proofs))
    }
}
