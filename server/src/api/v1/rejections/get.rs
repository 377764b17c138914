//! `GET /api/v1/rejections/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Rejection, RejectionId};

/// One request that was turned away at the webhook door. The beginning of its body is empty for who may not see payloads.
#[utoipa::path(
    get,
    path = "/api/v1/rejections/{id}",
    operation_id = "getRejection",
    tag = "failures",
    params(("id" = RejectionId, Path, description = "The rejection's id.")),
    responses((status = 200, description = "The rejection.", body = Rejection), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<RejectionId>) -> Answer<Rejection> {
    Ok(Json(parts.backend.rejection(&actor, id).await?))
}
