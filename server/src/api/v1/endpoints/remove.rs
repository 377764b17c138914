//! `DELETE /api/v1/endpoints/{id}`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::EndpointId;

/// Takes an endpoint away, with what is due to it. What was delivered stays to be seen.
#[utoipa::path(
    delete,
    path = "/api/v1/endpoints/{id}",
    operation_id = "removeEndpoint",
    tag = "endpoints",
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    responses((status = 204, description = "It is gone."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<EndpointId>,
) -> Result<StatusCode, Problem> {
    parts.backend.remove_endpoint(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
