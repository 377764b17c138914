//! `POST /api/v1/connections/{id}/reconnect-links`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{ConnectionId, ReconnectLink};

/// Makes a link for the customer to sign in again. `url` is told this once; the link opens for 7 days. One that was made before
/// and that nobody has opened no longer opens. Live issues of the connection wait for the customer from now on.
#[utoipa::path(
    post,
    path = "/api/v1/connections/{id}/reconnect-links",
    operation_id = "makeReconnectLink",
    tag = "connections",
    params(("id" = ConnectionId, Path, description = "Linewatch's id of the connection.")),
    responses((status = 201, description = "The link, with its address.", body = ReconnectLink), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
) -> Result<(StatusCode, Json<ReconnectLink>), Problem> {
    Ok((StatusCode::CREATED, Json(parts.backend.make_reconnect_link(&actor, id).await?)))
}
