//! `GET /api/v1/views/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Refusal, SavedView, ViewId};

/// One saved view.
#[utoipa::path(
    get,
    path = "/api/v1/views/{id}",
    operation_id = "getView",
    tag = "views",
    params(("id" = ViewId, Path, description = "The id of the view.")),
    responses((status = 200, description = "The view.", body = SavedView), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<ViewId>) -> Answer<SavedView> {
    let views = parts.backend.views(&actor).await?;
    let view = views.into_iter().find(|view| view.id == id);
    Ok(Json(view.ok_or_else(|| Refusal::NotFound("This view".to_owned()))?))
}
