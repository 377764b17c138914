//! `POST /api/v1/endpoints`

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
use model::{Endpoint, NewEndpoint};

/// Adds an endpoint. Every matching event that is received from now on is forwarded to it. `secret` is told this once.
#[utoipa::path(
    post,
    path = "/api/v1/endpoints",
    operation_id = "createEndpoint",
    tag = "endpoints",
    request_body = NewEndpoint,
    responses((status = 201, description = "The endpoint with its secret; `Location` names it.", body = Endpoint), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewEndpoint>,
) -> Result<impl IntoResponse, Problem> {
    let endpoint = parts.backend.add_endpoint(&actor, new).await?;
    let place = format!("/api/v1/endpoints/{}", endpoint.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(endpoint)))
}
