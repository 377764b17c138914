//! `DELETE /api/v1/retries/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Retry, RetryId};

/// Ends a retry of many. What is done stays done; what was let go is tried, nothing after it is.
#[utoipa::path(
    delete,
    path = "/api/v1/retries/{id}",
    operation_id = "cancelRetry",
    tag = "retries",
    params(("id" = RetryId, Path, description = "The id of the retry.")),
    responses((status = 200, description = "It is cancelled.", body = Retry), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<RetryId>) -> Answer<Retry> {
    Ok(Json(parts.backend.cancel_retry(&actor, id).await?))
}
