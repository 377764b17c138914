//! `POST /api/v1/bulk/{id}/undo`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Bulk, BulkId};

/// Takes back what a bulk operation changed on issues. Possible for an hour after it ended, with `acknowledge` and `assign`: issues
/// that have not changed since are as they were before, the others are left; `undone` tells how many of each. Asked again, it changes
/// nothing and answers the same.
#[utoipa::path(
    post,
    path = "/api/v1/bulk/{id}/undo",
    operation_id = "undoBulk",
    tag = "bulk",
    params(("id" = BulkId, Path, description = "The id of the bulk operation.")),
    responses((status = 200, description = "It is taken back.", body = Bulk), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<BulkId>) -> Answer<Bulk> {
    Ok(Json(parts.backend.undo_bulk(&actor, id).await?))
}
