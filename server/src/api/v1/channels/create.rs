//! `POST /api/v1/channels`

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
use model::{Channel, NewChannel};

/// Adds a channel. A webhook's signing secret is told this once. Where there is no route yet, one for everything is made that leads to it.
#[utoipa::path(
    post,
    path = "/api/v1/channels",
    operation_id = "createChannel",
    tag = "channels",
    request_body = NewChannel,
    responses((status = 201, description = "The channel; `Location` names it.", body = Channel), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewChannel>,
) -> Result<impl IntoResponse, Problem> {
    let made = parts.backend.add_channel(&actor, new).await?;
    let place = format!("/api/v1/channels/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(made)))
}
