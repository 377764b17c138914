//! `GET /api/v1/routes/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Route, RouteId};

/// One route.
#[utoipa::path(
    get,
    path = "/api/v1/routes/{id}",
    operation_id = "getRoute",
    tag = "routes",
    params(("id" = RouteId, Path, description = "The id of the route.")),
    responses((status = 200, description = "The route.", body = Route), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<RouteId>) -> Answer<Route> {
    Ok(Json(parts.backend.route(&actor, id).await?))
}
