//! Saved views of Connections.

use super::{CallError, ViewForm, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, desk, send_on};
use leptos::prelude::*;
use model::{Role, SavedView, ViewId};
use serde::{Deserialize, Serialize};

/// The views that a person sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Views {
    /// What the person may do.
    pub role: Role,
    /// The views, by name.
    pub views: Vec<SavedView>,
}

/// The saved views, each with how many connections match it now.
#[server(prefix = "/_app", endpoint = "views", protocol = Wire)]
pub async fn list_views() -> Result<Views, CallError> {
    let (desk, actor) = desk()?;
    let views = answer(desk.views(&actor).await)?;
    Ok(Views { role: actor.role, views })
}

/// Keeps a view, and shows it.
#[server(prefix = "/_app", endpoint = "add-view")]
pub async fn add_view(form: ViewForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = answer_form(form.read(), form.kept())?;
    let view = answer_form(desk.add_view(&actor, new).await, form.kept())?;
    send_on(&format!("/connections?{}", view.query));
    Ok(())
}

/// Forgets a view.
#[server(prefix = "/_app", endpoint = "remove-view")]
pub async fn remove_view(id: ViewId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_view(&actor, id).await)
}
