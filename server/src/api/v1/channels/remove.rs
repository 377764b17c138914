//! `DELETE /api/v1/channels/{id}`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::ChannelId;

/// Takes a channel away. One that a route or a channel needs is a conflict.
#[utoipa::path(
    delete,
    path = "/api/v1/channels/{id}",
    operation_id = "removeChannel",
    tag = "channels",
    params(("id" = ChannelId, Path, description = "The id of the channel.")),
    responses((status = 204, description = "It is gone."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ChannelId>,
) -> Result<StatusCode, Problem> {
    parts.backend.remove_channel(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
