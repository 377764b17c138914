//! `POST /api/v1/sources/{id}/test`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{SourceId, SourceTest};

/// Tries a source out with its stored credentials. Changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/sources/{id}/test",
    operation_id = "testSource",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source's id.")),
    responses((status = 200, description = "What was tried, and what came of it.", body = SourceTest), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<SourceId>) -> Answer<SourceTest> {
    Ok(Json(parts.backend.test_source(&actor, id).await?))
}
