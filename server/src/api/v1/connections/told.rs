//! `GET /api/v1/connections/{id}/told`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{ConnectionId, Page, Told};

/// Who was told of a connection, by what means and when, or why nobody was; newest first, on one page.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/told",
    operation_id = "listTold",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "The id of the connection.")),
    responses((status = 200, description = "Who was told.", body = Page<Told>), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<ConnectionId>) -> Answer<Page<Told>> {
    let items = parts.backend.told(&actor, id).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
