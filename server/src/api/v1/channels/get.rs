//! `GET /api/v1/channels/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Channel, ChannelId};

/// One channel. Its secrets are never shown.
#[utoipa::path(
    get,
    path = "/api/v1/channels/{id}",
    operation_id = "getChannel",
    tag = "channels",
    params(("id" = ChannelId, Path, description = "The id of the channel.")),
    responses((status = 200, description = "The channel.", body = Channel), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<ChannelId>) -> Answer<Channel> {
    Ok(Json(parts.backend.channel(&actor, id).await?))
}
