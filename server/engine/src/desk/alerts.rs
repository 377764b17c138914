//! Alerts: what fires, who takes it, and who was told.

use super::{Desk, commit};
use crate::live;
use crate::store::{alert, alert_list, audit, connection_list, internal};
use model::{
    Actor, Alert, AlertId, AlertQuery, AlertState, Change, ChangeTopic, ConnectionId, Page, Refusal, Role, Told,
};
use serde_json::json;
use sqlx::PgConnection;

impl Desk {
    pub(super) async fn list_alerts(&self, actor: &Actor, query: AlertQuery) -> Result<Page<Alert>, Refusal> {
        actor.must_be(Role::Viewer)?;
        alert_list::list(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn read_alert(&self, actor: &Actor, id: AlertId) -> Result<Alert, Refusal> {
        actor.must_be(Role::Viewer)?;
        one(&mut *self.conn().await?, id).await
    }

    pub(super) async fn take_alert(&self, actor: &Actor, id: AlertId) -> Result<Alert, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let taken = alert::acknowledge(&mut tx, id, &actor.name, now).await.map_err(internal)?;
        let alert = one(&mut tx, id).await?;
        if !taken {
            return already(alert, actor);
        }
        audit::write(&mut tx, now, actor, "alert.acknowledged", ("alert", id.to_string()), json!({"rule": alert.rule}))
            .await
            .map_err(internal)?;
        live::announce(&mut tx, &[Change::new(ChangeTopic::Alert, id, alert.version)]).await.map_err(internal)?;
        commit(tx).await?;
        Ok(alert)
    }

    pub(super) async fn list_told(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<Told>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        if connection_list::by_id(&mut conn, &[id]).await.map_err(internal)?.is_empty() {
            return Err(Refusal::NotFound("This connection".to_owned()));
        }
        alert_list::told(&mut conn, id).await.map_err(internal)
    }
}

/// Twice by the same person is once.
fn already(alert: Alert, actor: &Actor) -> Result<Alert, Refusal> {
    match &alert.acknowledged_by {
        Some(by) if *by == actor.name => Ok(alert),
        _ if alert.state == AlertState::Resolved => {
            Err(Refusal::Conflict("This alert is over already; there is nothing left to take.".to_owned()))
        }
        Some(by) => Err(Refusal::Conflict(format!("{by} has taken this alert already."))),
        None => Err(Refusal::Conflict("This alert has changed meanwhile. Load it again.".to_owned())),
    }
}

async fn one(conn: &mut PgConnection, id: AlertId) -> Result<Alert, Refusal> {
    alert_list::get(conn, id).await.map_err(internal)?.ok_or_else(|| Refusal::NotFound("This alert".to_owned()))
}
