//! `DELETE /api/v1/silences/{id}`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::SilenceId;

/// Ends a silence now; what still fires is told.
#[utoipa::path(
    delete,
    path = "/api/v1/silences/{id}",
    operation_id = "endSilence",
    tag = "silences",
    params(("id" = SilenceId, Path, description = "The id of the silence.")),
    responses((status = 204, description = "It is over."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<SilenceId>,
) -> Result<StatusCode, Problem> {
    parts.backend.end_silence(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
