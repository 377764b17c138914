//! What the screens of bulk work ask and do.

use super::{BulkForm, CallError, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, as_of, desk, send_on};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Bulk, BulkId, BulkState, BulkUndone, Role};
use serde::{Deserialize, Serialize};

/// Bulk work, or what it would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkView {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// It; without an id, only counted.
    pub bulk: Bulk,
}

/// Counts what an address asks to be done; changes nothing.
#[server(prefix = "/_app", endpoint = "preview-bulk", protocol = Wire)]
pub async fn preview_bulk(wish: String) -> Result<BulkView, CallError> {
    let (desk, actor) = desk()?;
    let new = answer(model::NewBulk::from_query(&wish))?;
    let bulk = answer(desk.start_bulk(&actor, model::NewBulk { dry_run: true, ..new }).await)?;
    Ok(BulkView { as_of: as_of(), role: actor.role, bulk })
}

/// Starts it and goes to its progress.
#[server(prefix = "/_app", endpoint = "start-bulk")]
pub async fn start_bulk(form: BulkForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = answer_form(form.read(), form.kept())?;
    let bulk = answer_form(desk.start_bulk(&actor, new).await, form.kept())?;
    if let Some(id) = bulk.id {
        send_on(&format!("/bulk/{id}"));
    }
    Ok(())
}

/// How far it has come.
#[server(prefix = "/_app", endpoint = "bulk", protocol = Wire)]
pub async fn ask_bulk(id: BulkId) -> Result<BulkView, CallError> {
    let (desk, actor) = desk()?;
    let bulk = answer(desk.bulk(&actor, id).await)?;
    Ok(BulkView { as_of: as_of(), role: actor.role, bulk })
}

/// Stops it for now, or goes on.
#[server(prefix = "/_app", endpoint = "change-bulk")]
pub async fn change_bulk(id: BulkId, state: BulkState) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.change_bulk(&actor, id, model::BulkPatch { state }).await).map(drop)
}

/// Ends it; what is done stays done.
#[server(prefix = "/_app", endpoint = "cancel-bulk")]
pub async fn cancel_bulk(id: BulkId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.cancel_bulk(&actor, id).await).map(drop)
}

/// Takes back what it changed on issues.
#[server(prefix = "/_app", endpoint = "undo-bulk")]
pub async fn undo_bulk(id: BulkId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.undo_bulk(&actor, id).await).map(drop)
}

/// The same, and says what came of it.
#[server(prefix = "/_app", endpoint = "take-back", protocol = Wire)]
pub async fn take_back(id: BulkId) -> Result<Option<BulkUndone>, CallError> {
    let (desk, actor) = desk()?;
    answer(desk.undo_bulk(&actor, id).await).map(|bulk| bulk.undone)
}
