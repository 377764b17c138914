//! What was told.

use super::{Desk, commit};
use crate::live;
use crate::store::{audit, internal, notification, notification_list};
use model::{
    Actor, Change, ChangeTopic, Notification, NotificationId, NotificationQuery, NotificationReason, Page, Refusal,
    Role,
};
use serde_json::json;
use sqlx::PgConnection;

impl Desk {
    pub(super) async fn list_notifications(
        &self,
        actor: &Actor,
        query: NotificationQuery,
    ) -> Result<Page<Notification>, Refusal> {
        actor.must_be(Role::Viewer)?;
        notification_list::list(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn read_notification(&self, actor: &Actor, id: NotificationId) -> Result<Notification, Refusal> {
        actor.must_be(Role::Viewer)?;
        one(&mut *self.conn().await?, id).await
    }

    pub(super) async fn requeue_notification(
        &self,
        actor: &Actor,
        id: NotificationId,
    ) -> Result<Notification, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = one(&mut tx, id).await?;
        if before.reason == NotificationReason::Test {
            return Err(Refusal::Conflict("This was a test of the channel. Test it again instead.".to_owned()));
        }
        if !notification::requeue(&mut tx, id, &actor.name, now).await.map_err(internal)? {
            let state = before.state.words().to_lowercase();
            return Err(Refusal::Conflict(format!("This message cannot be sent again: it is “{state}”.")));
        }
        audit::write(&mut tx, now, actor, "notification.retried", ("notification", id.to_string()), json!({}))
            .await
            .map_err(internal)?;
        let told = one(&mut tx, id).await?;
        live::announce(&mut tx, &[Change::new(ChangeTopic::Notification, id, 0)]).await.map_err(internal)?;
        commit(tx).await?;
        self.sender.wake().notify_one();
        Ok(told)
    }
}

async fn one(conn: &mut PgConnection, id: NotificationId) -> Result<Notification, Refusal> {
    let found = notification_list::get(conn, id).await.map_err(internal)?;
    found.ok_or_else(|| Refusal::NotFound("This message".to_owned()))
}
