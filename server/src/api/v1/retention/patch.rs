//! `PATCH /api/v1/retention`

use crate::api::{
    input::Input,
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Retention, RetentionPatch};

/// Changes how long things are kept. What is absent stays. With the `version` that was read, a change made meanwhile is a
/// conflict.
#[utoipa::path(
    patch,
    path = "/api/v1/retention",
    operation_id = "changeRetention",
    tag = "system",
    request_body = RetentionPatch,
    responses((status = 200, description = "The retention as it is now.", body = Retention), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(patch): Input<RetentionPatch>,
) -> Answer<Retention> {
    Ok(Json(parts.backend.change_retention(&actor, patch).await?))
}
