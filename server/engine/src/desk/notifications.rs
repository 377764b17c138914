//! What was told.

use super::Desk;
use model::{Actor, Notification, NotificationId, NotificationQuery, Page, Refusal};

impl Desk {
    pub(super) async fn list_notifications(
        &self,
        _: &Actor,
        _: NotificationQuery,
    ) -> Result<Page<Notification>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_notification(&self, _: &Actor, _: NotificationId) -> Result<Notification, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn requeue_notification(&self, _: &Actor, _: NotificationId) -> Result<Notification, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
