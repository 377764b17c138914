//! Saved views.

use super::{Desk, commit, validate};
use crate::clock::new_id;
use crate::store::{audit, internal, view};
use model::{Actor, NewView, Refusal, Role, SavedView, ViewId};
use serde_json::json;

impl Desk {
    pub(super) async fn list_views(&self, actor: &Actor) -> Result<Vec<SavedView>, Refusal> {
        actor.must_be(Role::Viewer)?;
        view::list(&mut *self.conn().await?, actor, None).await.map_err(internal)
    }

    /// Who only looks may keep views, but not put them before everybody.
    pub(super) async fn keep_view(&self, actor: &Actor, new: NewView) -> Result<SavedView, Refusal> {
        actor.must_be(if new.shared { Role::Support } else { Role::Viewer })?;
        let new = validate::new_view(new)?;
        let (id, now) = (ViewId(new_id()), self.clock.now());
        let mut tx = self.begin().await?;
        view::create(&mut tx, id, actor, &new, now).await.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Refusal::invalid("name", format!("you have a view “{}” already; choose another name", new.name))
            }
            _ => internal(error),
        })?;
        audit::write(&mut tx, now, actor, "view.added", ("view", id.to_string()), json!(new))
            .await
            .map_err(internal)?;
        let view = view::list(&mut tx, actor, Some(id)).await.map_err(internal)?.pop().ok_or_else(not_found)?;
        commit(tx).await?;
        Ok(view)
    }

    pub(super) async fn forget_view(&self, actor: &Actor, id: ViewId) -> Result<(), Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut tx = self.begin().await?;
        // what somebody keeps for themselves is not there for others
        let view = view::list(&mut tx, actor, Some(id)).await.map_err(internal)?.pop().ok_or_else(not_found)?;
        if !view.mine {
            actor.must_be(Role::Admin)?;
        }
        if !view::remove(&mut tx, id).await.map_err(internal)? {
            return Err(not_found());
        }
        let detail = json!({"name": view.name});
        audit::write(&mut tx, self.clock.now(), actor, "view.removed", ("view", id.to_string()), detail)
            .await
            .map_err(internal)?;
        commit(tx).await
    }
}

fn not_found() -> Refusal {
    Refusal::NotFound("This view".to_owned())
}
