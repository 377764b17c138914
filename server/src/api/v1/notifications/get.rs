//! `GET /api/v1/notifications/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Notification, NotificationId};

/// One message, with its attempts.
#[utoipa::path(
    get,
    path = "/api/v1/notifications/{id}",
    operation_id = "getNotification",
    tag = "notifications",
    params(("id" = NotificationId, Path, description = "The id of the message.")),
    responses((status = 200, description = "The message.", body = Notification), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<NotificationId>,
) -> Answer<Notification> {
    Ok(Json(parts.backend.notification(&actor, id).await?))
}
