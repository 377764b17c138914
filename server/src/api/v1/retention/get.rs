//! `GET /api/v1/retention`

use crate::api::{openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::Retention;

/// How long things are kept, and which fields of payloads are not shown.
#[utoipa::path(
    get,
    path = "/api/v1/retention",
    operation_id = "getRetention",
    tag = "system",
    responses((status = 200, description = "The retention.", body = Retention), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller) -> Answer<Retention> {
    Ok(Json(parts.backend.retention(&actor).await?))
}
