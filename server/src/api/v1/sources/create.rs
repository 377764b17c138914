//! `POST /api/v1/sources`

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
use model::{NewSource, Source};

/// Adds a source. Polling begins at once; its webhooks are taken as soon as it has a webhook secret.
#[utoipa::path(
    post,
    path = "/api/v1/sources",
    operation_id = "createSource",
    tag = "sources",
    request_body = NewSource,
    responses((status = 201, description = "The source; `Location` names it.", body = Source), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewSource>,
) -> Result<impl IntoResponse, Problem> {
    let source = parts.backend.add_source(&actor, new).await?;
    let place = format!("/api/v1/sources/{}", source.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(source)))
}
