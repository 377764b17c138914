//! `POST /api/v1/silences`

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
use model::{NewSilence, Silence};

/// Silences alerts for a while. With `dry_run` it only says how many it would mute.
#[utoipa::path(
    post,
    path = "/api/v1/silences",
    operation_id = "createSilence",
    tag = "silences",
    request_body = NewSilence,
    responses((status = 201, description = "The silence; `Location` names it.", body = Silence), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewSilence>,
) -> Result<impl IntoResponse, Problem> {
    let made = parts.backend.add_silence(&actor, new).await?;
    let place = format!("/api/v1/silences/{}", made.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(made)))
}
