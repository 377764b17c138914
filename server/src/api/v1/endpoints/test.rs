//! `POST /api/v1/endpoints/{id}/test`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{EndpointId, Sent};

/// Sends a signed event of the type `linewatch.test` now, once, and says what was answered. Nothing is kept of it.
#[utoipa::path(
    post,
    path = "/api/v1/endpoints/{id}/test",
    operation_id = "testEndpoint",
    tag = "endpoints",
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    responses((status = 200, description = "What came of it.", body = Sent), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<EndpointId>) -> Answer<Sent> {
    Ok(Json(parts.backend.test_endpoint(&actor, id).await?))
}
