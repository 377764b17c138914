//! Outages.

use super::Desk;
use crate::store::{alert_list, internal, outage_list};
use model::{Actor, Outage, OutageId, Page, PageQuery, Refusal, Role, Told};

impl Desk {
    pub(super) async fn list_outages(&self, actor: &Actor, page: PageQuery) -> Result<Page<Outage>, Refusal> {
        actor.must_be(Role::Viewer)?;
        outage_list::list(&mut *self.conn().await?, &page).await
    }

    pub(super) async fn read_outage(&self, actor: &Actor, id: OutageId) -> Result<Outage, Refusal> {
        actor.must_be(Role::Viewer)?;
        let found = outage_list::get(&mut *self.conn().await?, id).await.map_err(internal)?;
        found.ok_or_else(|| Refusal::NotFound("This outage".to_owned()))
    }

    pub(super) async fn list_told_of_outage(&self, actor: &Actor, id: OutageId) -> Result<Vec<Told>, Refusal> {
        self.read_outage(actor, id).await?;
        alert_list::told_of_outage(&mut *self.conn().await?, id).await.map_err(internal)
    }
}
