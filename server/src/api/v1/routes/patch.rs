//! `PATCH /api/v1/routes/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Route, RouteId, RoutePatch};

/// Changes a route. What is absent stays. With the `version` that was read, a change made meanwhile is a conflict.
#[utoipa::path(
    patch,
    path = "/api/v1/routes/{id}",
    operation_id = "changeRoute",
    tag = "routes",
    params(("id" = RouteId, Path, description = "The id of the route.")),
    request_body = RoutePatch,
    responses((status = 200, description = "The route as it is now.", body = Route), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<RouteId>,
    Input(patch): Input<RoutePatch>,
) -> Answer<Route> {
    Ok(Json(parts.backend.change_route(&actor, id, patch).await?))
}
