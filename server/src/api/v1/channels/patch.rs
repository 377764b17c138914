//! `PATCH /api/v1/channels/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Channel, ChannelId, ChannelPatch};

/// Changes a channel. What is absent stays, secrets too. With the `version` that was read, a change made meanwhile is a conflict.
#[utoipa::path(
    patch,
    path = "/api/v1/channels/{id}",
    operation_id = "changeChannel",
    tag = "channels",
    params(("id" = ChannelId, Path, description = "The id of the channel.")),
    request_body = ChannelPatch,
    responses((status = 200, description = "The channel as it is now.", body = Channel), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ChannelId>,
    Input(patch): Input<ChannelPatch>,
) -> Answer<Channel> {
    Ok(Json(parts.backend.change_channel(&actor, id, patch).await?))
}
