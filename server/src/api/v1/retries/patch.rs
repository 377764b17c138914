//! `PATCH /api/v1/retries/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Retry, RetryId, RetryPatch};

/// Pauses a retry of many, lets it go on, or changes how many go a second.
#[utoipa::path(
    patch,
    path = "/api/v1/retries/{id}",
    operation_id = "changeRetry",
    tag = "retries",
    params(("id" = RetryId, Path, description = "The id of the retry.")),
    request_body = RetryPatch,
    responses((status = 200, description = "How far it has come.", body = Retry), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<RetryId>,
    Input(patch): Input<RetryPatch>,
) -> Answer<Retry> {
    Ok(Json(parts.backend.change_retry(&actor, id, patch).await?))
}
