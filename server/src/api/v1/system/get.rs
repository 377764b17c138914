//! `GET /api/v1/system`

use crate::api::{openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::System;

/// How Linewatch itself is: webhooks on their way in, polling, processes, room for the days ahead, the certificate of the
/// public address, and what cannot be seen right now.
#[utoipa::path(
    get,
    path = "/api/v1/system",
    operation_id = "getSystem",
    tag = "system",
    responses((status = 200, description = "How Linewatch is.", body = System), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller) -> Answer<System> {
    Ok(Json(parts.backend.system(&actor).await?))
}
