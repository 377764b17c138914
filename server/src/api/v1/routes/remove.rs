//! `DELETE /api/v1/routes/{id}`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::RouteId;

/// Takes a route away; those after it move up.
#[utoipa::path(
    delete,
    path = "/api/v1/routes/{id}",
    operation_id = "removeRoute",
    tag = "routes",
    params(("id" = RouteId, Path, description = "The id of the route.")),
    responses((status = 204, description = "It is gone."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<RouteId>,
) -> Result<StatusCode, Problem> {
    parts.backend.remove_route(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
