//! `PATCH /api/v1/connections/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{ConnectionDetail, ConnectionId, ConnectionPatch};

/// Changes what is ours on a connection. What is absent stays; null takes away.
#[utoipa::path(
    patch,
    path = "/api/v1/connections/{id}",
    operation_id = "changeConnection",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "Linewatch's id of the connection.")),
    request_body = ConnectionPatch,
    responses((status = 200, description = "The connection as it is now.", body = ConnectionDetail), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
    Input(patch): Input<ConnectionPatch>,
) -> Answer<ConnectionDetail> {
    Ok(Json(parts.backend.change_connection(&actor, id, patch).await?))
}
