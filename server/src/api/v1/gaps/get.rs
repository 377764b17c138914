//! `GET /api/v1/gaps/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{GapId, GapView};

/// One webhook that never came, and what is known of where it was lost.
#[utoipa::path(
    get,
    path = "/api/v1/gaps/{id}",
    operation_id = "getGap",
    tag = "failures",
    params(("id" = GapId, Path, description = "The gap's id.")),
    responses((status = 200, description = "The gap.", body = GapView), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<GapId>) -> Answer<GapView> {
    Ok(Json(parts.backend.gap(&actor, id).await?))
}
