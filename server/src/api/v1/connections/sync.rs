//! `POST /api/v1/connections/{id}/sync`

use crate::api::{
    input::{Id, Maybe},
    openapi::{InputRefusals, Refusals},
    problem::Problem,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{ConnectionDetail, ConnectionId, NewSync};

/// Starts a sync. Refused while one is under way, and within 30 seconds of the one before. What comes of it arrives as a change.
#[utoipa::path(
    post,
    path = "/api/v1/connections/{id}/sync",
    operation_id = "startConnectionSync",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "Linewatch's id of the connection.")),
    request_body = Option<NewSync>,
    responses((status = 202, description = "It was started.", body = ConnectionDetail), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
    Maybe(new): Maybe<NewSync>,
) -> Result<(StatusCode, Json<ConnectionDetail>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(parts.backend.start_sync(&actor, id, new).await?)))
}
