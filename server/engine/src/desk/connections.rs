//! Connections.

use super::{Desk, commit, validate};
use crate::health::reconsider;
use crate::live;
use crate::store::{alert_touch, audit, connection, connection_list, customer, evidence, internal, source};
use futures::StreamExt as _;
use model::{
    Actor, Change, ChangeTopic, Connection, ConnectionDetail, ConnectionId, ConnectionPage, ConnectionPatch,
    ConnectionQuery, Evidence, Page, PageQuery, PlatformRef, Refusal, Role, Rows, TimelineItem,
};
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// How long a reader of a whole list may take for the next row.
const SLOWEST_READER: Duration = Duration::from_secs(30);

impl Desk {
    pub(super) async fn list_connections(
        &self,
        actor: &Actor,
        query: ConnectionQuery,
    ) -> Result<ConnectionPage, Refusal> {
        actor.must_be(Role::Viewer)?;
        connection_list::page(&mut *self.conn().await?, &query).await
    }

    pub(super) async fn stream_connections(
        &self,
        actor: &Actor,
        query: ConnectionQuery,
    ) -> Result<Rows<Connection>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let (to, rows) = mpsc::channel(256);
        tokio::spawn(async move {
            let mut all = connection_list::all(&query);
            let mut all = all.build().fetch(&mut *conn);
            while let Some(row) = all.next().await {
                let row = row.and_then(|row| connection_list::read(&row)).map_err(internal);
                // Whoever falls asleep while reading must not keep the connection to the database.
                if to.send_timeout(row, SLOWEST_READER).await.is_err() {
                    return;
                }
            }
        });
        Ok(Box::pin(ReceiverStream::new(rows)))
    }

    pub(super) async fn read_connections(
        &self,
        actor: &Actor,
        ids: &[ConnectionId],
    ) -> Result<Vec<Connection>, Refusal> {
        actor.must_be(Role::Viewer)?;
        connection_list::by_id(&mut *self.conn().await?, ids).await.map_err(internal)
    }

    pub(super) async fn list_platforms(&self, actor: &Actor) -> Result<Vec<PlatformRef>, Refusal> {
        actor.must_be(Role::Viewer)?;
        customer::platforms(&mut *self.conn().await?).await.map_err(internal)
    }

    pub(super) async fn read_connection(&self, actor: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal> {
        actor.must_be(Role::Viewer)?;
        detail(&mut *self.conn().await?, id).await
    }

    pub(super) async fn read_timeline(
        &self,
        actor: &Actor,
        id: ConnectionId,
        page: PageQuery,
    ) -> Result<Page<TimelineItem>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        detail(&mut conn, id).await?;
        connection_list::timeline(&mut conn, id, &page, self.clock.now()).await
    }

    pub(super) async fn read_evidence(
        &self,
        actor: &Actor,
        id: ConnectionId,
        page: PageQuery,
    ) -> Result<Page<Evidence>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        detail(&mut conn, id).await?;
        evidence::list(&mut conn, id, &page).await
    }

    pub(super) async fn patch_connection(
        &self,
        actor: &Actor,
        id: ConnectionId,
        patch: ConnectionPatch,
    ) -> Result<ConnectionDetail, Refusal> {
        actor.must_be(Role::Support)?;
        let patch = validate::connection_patch(patch)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        if !connection::change(&mut tx, id, &patch, now).await.map_err(internal)? {
            return Err(not_found());
        }
        // another cadence may mean another health
        let policies = source::policies_with_hearing(&mut tx, now).await.map_err(internal)?;
        reconsider(&mut tx, &[id.0], &policies, now).await.map_err(internal)?;
        alert_touch::again(&mut tx, &[id.0], &[], now).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "connection.changed", ("connection", id.to_string()), json!(patch))
            .await
            .map_err(internal)?;
        let detail = detail(&mut tx, id).await?;
        announce(&mut tx, &detail).await?;
        commit(tx).await?;
        Ok(detail)
    }
}

pub(super) async fn detail(conn: &mut PgConnection, id: ConnectionId) -> Result<ConnectionDetail, Refusal> {
    connection_list::detail(conn, id).await.map_err(internal)?.ok_or_else(not_found)
}

pub(super) fn not_found() -> Refusal {
    Refusal::NotFound("This connection".to_owned())
}

pub(super) async fn announce(conn: &mut PgConnection, detail: &ConnectionDetail) -> Result<(), Refusal> {
    let change = Change::new(ChangeTopic::Connection, detail.connection.id, detail.connection.version);
    live::announce(conn, &[change]).await.map_err(internal)
}
