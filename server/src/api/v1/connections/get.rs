//! `GET /api/v1/connections/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{ConnectionDetail, ConnectionId};

/// One connection. One that is gone upstream can still be read; it has `removed_at`.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}",
    operation_id = "getConnection",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "Linewatch's id of the connection.")),
    responses((status = 200, description = "The connection.", body = ConnectionDetail), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
) -> Answer<ConnectionDetail> {
    Ok(Json(parts.backend.connection(&actor, id).await?))
}
