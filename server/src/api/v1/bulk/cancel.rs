//! `DELETE /api/v1/bulk/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Bulk, BulkId};

/// Ends a bulk operation. What is done stays done; what is under way is finished.
#[utoipa::path(
    delete,
    path = "/api/v1/bulk/{id}",
    operation_id = "cancelBulk",
    tag = "bulk",
    params(("id" = BulkId, Path, description = "The id of the bulk operation.")),
    responses((status = 200, description = "It is cancelled.", body = Bulk), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<BulkId>) -> Answer<Bulk> {
    Ok(Json(parts.backend.cancel_bulk(&actor, id).await?))
}
