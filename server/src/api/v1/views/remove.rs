//! `DELETE /api/v1/views/{id}`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::ViewId;

/// Forgets a view; who did not make it must be an administrator.
#[utoipa::path(
    delete,
    path = "/api/v1/views/{id}",
    operation_id = "removeView",
    tag = "views",
    params(("id" = ViewId, Path, description = "The id of the view.")),
    responses((status = 204, description = "It is forgotten."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ViewId>,
) -> Result<StatusCode, Problem> {
    parts.backend.remove_view(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
