//! `GET /api/v1/bulk/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Bulk, BulkId};

/// How far a bulk operation has come.
#[utoipa::path(
    get,
    path = "/api/v1/bulk/{id}",
    operation_id = "getBulk",
    tag = "bulk",
    params(("id" = BulkId, Path, description = "The id of the bulk operation.")),
    responses((status = 200, description = "How far it has come.", body = Bulk), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<BulkId>) -> Answer<Bulk> {
    Ok(Json(parts.backend.bulk(&actor, id).await?))
}
