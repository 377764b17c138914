//! `GET /api/v1/views`

use crate::api::{openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Page, SavedView};

/// The saved views that you may see, by name: your own and the shared ones, each with how many connections match it now.
#[utoipa::path(
    get,
    path = "/api/v1/views",
    operation_id = "listViews",
    tag = "views",
    responses((status = 200, description = "All of them.", body = Page<SavedView>), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller) -> Answer<Page<SavedView>> {
    Ok(Json(Page { items: parts.backend.views(&actor).await?, next_cursor: None }))
}
