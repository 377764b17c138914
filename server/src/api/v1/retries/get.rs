//! `GET /api/v1/retries/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Retry, RetryId};

/// How far a retry of many has come.
#[utoipa::path(
    get,
    path = "/api/v1/retries/{id}",
    operation_id = "getRetry",
    tag = "retries",
    params(("id" = RetryId, Path, description = "The id of the retry.")),
    responses((status = 200, description = "How far it has come.", body = Retry), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<RetryId>) -> Answer<Retry> {
    Ok(Json(parts.backend.retry(&actor, id).await?))
}
