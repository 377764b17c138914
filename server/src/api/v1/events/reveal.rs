//! `POST /api/v1/events/{id}/reveal`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{EventId, Revealed};

/// The payload of a webhook as it came, nothing hidden. Who asked for it is written into the audit log.
#[utoipa::path(
    post,
    path = "/api/v1/events/{id}/reveal",
    operation_id = "revealEvent",
    tag = "events",
    params(("id" = EventId, Path, description = "Linewatch's id of the event.")),
    responses((status = 200, description = "The payload.", body = Revealed), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<EventId>) -> Answer<Revealed> {
    Ok(Json(parts.backend.reveal_event(&actor, id).await?))
}
