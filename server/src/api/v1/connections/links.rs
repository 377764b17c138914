//! `GET /api/v1/connections/{id}/reconnect-links`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{ConnectionId, ReconnectLink};

/// The reconnect links of a connection, newest first, at most 100. No address is among it.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/reconnect-links",
    operation_id = "listReconnectLinks",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "Linewatch's id of the connection.")),
    responses((status = 200, description = "The links.", body = Vec<ReconnectLink>), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
) -> Answer<Vec<ReconnectLink>> {
    Ok(Json(parts.backend.reconnect_links(&actor, id).await?))
}
