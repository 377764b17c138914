//! `POST /api/v1/maintenance`

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
use model::{Maintenance, NewMaintenance};

/// Adds maintenance, once or again and again: checks go on, only messages wait.
#[utoipa::path(
    post,
    path = "/api/v1/maintenance",
    operation_id = "createMaintenance",
    tag = "maintenance",
    request_body = NewMaintenance,
    responses((status = 201, description = "The maintenance; `Location` names it.", body = Maintenance), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewMaintenance>,
) -> Result<impl IntoResponse, Problem> {
    let made = parts.backend.add_maintenance(&actor, new).await?;
    let place = format!("/api/v1/maintenance/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(made)))
}
