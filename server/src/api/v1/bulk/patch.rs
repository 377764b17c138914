//! `PATCH /api/v1/bulk/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Bulk, BulkId, BulkPatch};

/// Pauses a bulk operation, or lets it go on.
#[utoipa::path(
    patch,
    path = "/api/v1/bulk/{id}",
    operation_id = "changeBulk",
    tag = "bulk",
    params(("id" = BulkId, Path, description = "The id of the bulk operation.")),
    request_body = BulkPatch,
    responses((status = 200, description = "How far it has come.", body = Bulk), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<BulkId>,
    Input(patch): Input<BulkPatch>,
) -> Answer<Bulk> {
    Ok(Json(parts.backend.change_bulk(&actor, id, patch).await?))
}
