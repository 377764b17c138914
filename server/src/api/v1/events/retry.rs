//! `POST /api/v1/events/{id}/retry`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{EventDetail, EventId};

/// Processes a failed or unrecognised webhook again. One that is being processed, or is done, is a conflict.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/retry",
    operation_id = "retryEvent",
    tag = "events",
    params(("id" = EventId, Path, description = "Linewatch's id of the event.")),
    responses((status = 202, description = "It will be processed at once.", body = EventDetail), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<EventId>,
) -> Result<(StatusCode, Json<EventDetail>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(parts.backend.retry_event(&actor, id).await?)))
}
