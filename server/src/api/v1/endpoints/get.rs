//! `GET /api/v1/endpoints/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Endpoint, EndpointId};

/// One endpoint.
#[utoipa::path(
    get,
    path = "/api/v1/endpoints/{id}",
    operation_id = "getEndpoint",
    tag = "endpoints",
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    responses((status = 200, description = "The endpoint.", body = Endpoint), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<EndpointId>) -> Answer<Endpoint> {
    Ok(Json(parts.backend.endpoint(&actor, id).await?))
}
