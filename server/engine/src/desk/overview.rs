//! The Overview.

use super::Desk;
use crate::store::{connection_list, fleet, internal, outage_list, transition};
use chrono::TimeDelta;
use model::{Actor, ConnectionQuery, Health, Overview, Refusal, Role};

impl Desk {
    pub(super) async fn read_overview(&self, actor: &Actor) -> Result<Overview, Refusal> {
        actor.must_be(Role::Viewer)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        // totals, rows and history must tell one story, so they are read from one snapshot
        sqlx::query("set transaction isolation level repeatable read, read only")
            .execute(&mut *tx)
            .await
            .map_err(internal)?;
        let worst = ConnectionQuery {
            health: Health::ALL.iter().copied().filter(|health| health.needs_attention()).collect(),
            limit: Some(8),
            ..ConnectionQuery::default()
        };
        let totals = fleet::totals(&mut tx).await.map_err(internal)?;
        let outages = outage_list::current(&mut tx, now - TimeDelta::hours(1)).await.map_err(internal)?;
        let worst = connection_list::page(&mut tx, &worst).await?.items;
        let (changes, changes_in_all) =
            transition::since(&mut tx, now - TimeDelta::hours(1), 20).await.map_err(internal)?;
        let fleet = fleet::history(&mut tx, &totals, now, TimeDelta::minutes(15), 96).await.map_err(internal)?;
        let oldest = fleet::oldest_proof(&mut tx).await.map_err(internal)?;
        let sources = self.sources_with_traffic(&mut tx, None).await?;
        Ok(Overview {
            at: now,
            totals,
            outages,
            worst,
            changes,
            changes_in_all,
            fleet,
            sources,
            oldest_proof_seconds: oldest.map(|at| (now - at).num_seconds().max(0)),
        })
    }
}
