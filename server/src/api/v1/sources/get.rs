//! `GET /api/v1/sources/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Source, SourceId};

/// One source. Its secrets are never shown.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{id}",
    operation_id = "getSource",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source's id.")),
    responses((status = 200, description = "The source.", body = Source), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<SourceId>) -> Answer<Source> {
    Ok(Json(parts.backend.source(&actor, id).await?))
}
