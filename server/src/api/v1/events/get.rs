//! `GET /api/v1/events/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{EventDetail, EventId};

/// One received webhook. Its payload is null for who may not see payloads.
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}",
    operation_id = "getEvent",
    tag = "events",
    params(("id" = EventId, Path, description = "Linewatch's id of the event.")),
    responses((status = 200, description = "The event.", body = EventDetail), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<EventId>) -> Answer<EventDetail> {
    Ok(Json(parts.backend.event(&actor, id).await?))
}
