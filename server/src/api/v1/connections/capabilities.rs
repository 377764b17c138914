//! `GET /api/v1/connections/{id}/capabilities`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Capability, ConnectionId};

/// What a connection can do with which kind of record, each with how that is known. What nobody told is `unknown`; a kind that
/// nobody named is not there.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/capabilities",
    operation_id = "listConnectionCapabilities",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "Linewatch's id of the connection.")),
    responses((status = 200, description = "By kind of record and operation.", body = Vec<Capability>), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
) -> Answer<Vec<Capability>> {
    Ok(Json(parts.backend.capabilities(&actor, id).await?))
}
