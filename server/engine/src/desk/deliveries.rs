//! Events on their way to endpoints.

use super::Desk;
use model::{Actor, Delivery, DeliveryId, DeliveryQuery, Page, Refusal};

impl Desk {
    pub(super) async fn list_deliveries(&self, _: &Actor, _: DeliveryQuery) -> Result<Page<Delivery>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_delivery(&self, _: &Actor, _: DeliveryId) -> Result<Delivery, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn requeue_delivery(&self, _: &Actor, _: DeliveryId) -> Result<Delivery, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
