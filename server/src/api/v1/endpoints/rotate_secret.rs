//! `POST /api/v1/endpoints/{id}/secret`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{Endpoint, EndpointId};

/// Gives an endpoint a new secret, told this once. The one before signs beside it for 24 hours.
#[utoipa::path(
    post,
    path = "/api/v1/endpoints/{id}/secret",
    operation_id = "rotateEndpointSecret",
    tag = "endpoints",
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    responses((status = 201, description = "The endpoint with its new secret.", body = Endpoint), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<EndpointId>,
) -> Result<(StatusCode, Json<Endpoint>), Problem> {
    Ok((StatusCode::CREATED, Json(parts.backend.rotate_endpoint_secret(&actor, id).await?)))
}
