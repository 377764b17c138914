//! `POST /api/v1/routes`

use crate::api::{
    input::Input,
    openapi::{InputRefusals, Refusals},
    problem::Problem,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header::LOCATION};
use axum::response::IntoResponse;
use model::{NewRoute, Route};

/// Adds a route. What fires already goes its way too.
#[utoipa::path(
    post,
    path = "/api/v1/routes",
    operation_id = "createRoute",
    tag = "routes",
    request_body = NewRoute,
    responses((status = 201, description = "The route; `Location` names it.", body = Route), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewRoute>,
) -> Result<impl IntoResponse, Problem> {
    let made = parts.backend.add_route(&actor, new).await?;
    let place = format!("/api/v1/routes/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(made)))
}
