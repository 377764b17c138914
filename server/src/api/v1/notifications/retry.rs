//! `POST /api/v1/notifications/{id}/retry`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{Notification, NotificationId};

/// Sends a message again that failed or waits. One that is being sent, or is sent, is a conflict.
#[utoipa::path(
    post,
    path = "/api/v1/notifications/{id}/retry",
    operation_id = "retryNotification",
    tag = "notifications",
    params(("id" = NotificationId, Path, description = "The id of the message.")),
    responses((status = 202, description = "It will be sent at once.", body = Notification), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<NotificationId>,
) -> Result<(StatusCode, Json<Notification>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(parts.backend.retry_notification(&actor, id).await?)))
}
