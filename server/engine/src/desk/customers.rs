//! Customers, and what is ours on them.

use super::{Desk, commit, validate};
use crate::live;
use crate::store::{alert_touch, audit, customer_list, internal};
use model::{Actor, Change, ChangeTopic, Customer, CustomerId, CustomerPatch, CustomerQuery, Page, Refusal, Role};
use serde_json::json;

impl Desk {
    pub(super) async fn list_customers(&self, actor: &Actor, query: CustomerQuery) -> Result<Page<Customer>, Refusal> {
        actor.must_be(Role::Viewer)?;
        customer_list::page(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn read_customer(&self, actor: &Actor, id: CustomerId) -> Result<Customer, Refusal> {
        actor.must_be(Role::Viewer)?;
        customer_list::get(&mut *self.conn().await?, id).await.map_err(internal)?.ok_or_else(not_found)
    }

    pub(super) async fn patch_customer(
        &self,
        actor: &Actor,
        id: CustomerId,
        patch: CustomerPatch,
    ) -> Result<Customer, Refusal> {
        actor.must_be(Role::Support)?;
        let patch = validate::customer_patch(patch)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let changed = customer_list::change(&mut tx, id, &patch).await.map_err(internal)?;
        let customer = customer_list::get(&mut tx, id).await.map_err(internal)?.ok_or_else(not_found)?;
        if !changed {
            return Err(Refusal::Conflict(format!(
                "Somebody changed the customer “{}” meanwhile. Load it again, and make your change to what is there now.",
                customer.name
            )));
        }
        audit::write(&mut tx, now, actor, "customer.changed", ("customer", id.to_string()), json!(patch))
            .await
            .map_err(internal)?;
        alert_touch::again(&mut tx, &[], &[id.0], now).await.map_err(internal)?;
        live::announce(&mut tx, &[Change::many(ChangeTopic::Connection)]).await.map_err(internal)?;
        commit(tx).await?;
        Ok(customer)
    }
}

fn not_found() -> Refusal {
    Refusal::NotFound("This customer".to_owned())
}
