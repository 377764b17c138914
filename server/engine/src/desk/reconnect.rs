//! Reconnect links: made by people, followed by customers (`crate::reconnect`).

use super::connections::{announce, detail};
use super::{Desk, commit};
use crate::clock::new_id;
use crate::live;
use crate::reconnect::{fresh, hash_of, link_url};
use crate::store::{
    audit, internal,
    reconnect_link::{self, NewLink},
};
use chrono::TimeDelta;
use model::{Actor, Change, ChangeTopic, ConnectionId, LinkId, LinkState, ReconnectLink, Refusal, Role};
use serde_json::json;

/// How long a link opens.
const LIFE: TimeDelta = TimeDelta::days(7);

impl Desk {
    /// A link; the live issues of the connection wait for the customer from now on. Its address is told this once.
    pub(super) async fn make_link(&self, actor: &Actor, id: ConnectionId) -> Result<ReconnectLink, Refusal> {
        actor.must_be(Role::Support)?;
        let (now, token) = (self.clock.now(), fresh());
        let mut tx = self.begin().await?;
        let detail = detail(&mut tx, id).await?;
        if detail.removed_at.is_some() {
            return Err(Refusal::Conflict(
                "This connection is gone from Makini, so nobody can sign in to it again. The customer has to connect anew."
                    .to_owned(),
            ));
        }
        let new = NewLink {
            id: LinkId(new_id()),
            connection: id,
            token_hash: hash_of(&token),
            made_by: actor.name.clone(),
            made_at: now,
            expires_at: now + LIFE,
        };
        reconnect_link::make(&mut tx, &new).await.map_err(internal)?;
        let waiting = reconnect_link::issues_wait(&mut tx, id, &actor.name, now).await.map_err(internal)?;
        let about = json!({"link": new.id, "issues": waiting.iter().map(|(issue, _)| issue).collect::<Vec<_>>()});
        audit::write(&mut tx, now, actor, "connection.reconnect_link_made", ("connection", id.to_string()), about)
            .await
            .map_err(internal)?;
        let issues: Vec<_> =
            waiting.iter().map(|(issue, version)| Change::new(ChangeTopic::Issue, issue, *version)).collect();
        live::announce(&mut tx, &issues).await.map_err(internal)?;
        announce(&mut tx, &detail).await?;
        commit(tx).await?;
        Ok(ReconnectLink {
            id: new.id,
            connection_id: id,
            state: LinkState::Made,
            url: Some(link_url(&self.public_url, &token)),
            made_by: new.made_by,
            made_at: now,
            expires_at: new.expires_at,
            opened_at: None,
            done_at: None,
            proved_at: None,
            refusal: None,
        })
    }

    pub(super) async fn list_links(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<ReconnectLink>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        detail(&mut conn, id).await?;
        reconnect_link::list(&mut conn, id, self.clock.now()).await.map_err(internal)
    }
}
