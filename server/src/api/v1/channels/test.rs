//! `POST /api/v1/channels/{id}/test`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{ChannelId, Notification};

/// Sends a real sample now. That it does not go through is an answer too: its attempt says why.
#[utoipa::path(
    post,
    path = "/api/v1/channels/{id}/test",
    operation_id = "testChannel",
    tag = "channels",
    params(("id" = ChannelId, Path, description = "The id of the channel.")),
    responses((status = 200, description = "The message, with its attempt.", body = Notification), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<ChannelId>) -> Answer<Notification> {
    Ok(Json(parts.backend.test_channel(&actor, id).await?))
}
