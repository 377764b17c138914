//! `POST /api/v1/connections/{id}/check`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{ConnectionDetail, ConnectionId};

/// Asks Makini about a connection now. The answer arrives as a change; `checking` says that it is awaited.
#[utoipa::path(
    post,
    path = "/api/v1/connections/{id}/check",
    operation_id = "checkConnection",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "Linewatch's id of the connection.")),
    responses((status = 202, description = "It is being asked.", body = ConnectionDetail), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
) -> Result<(StatusCode, Json<ConnectionDetail>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(parts.backend.check_connection(&actor, id).await?)))
}
