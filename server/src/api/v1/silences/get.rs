//! `GET /api/v1/silences/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Refusal, Silence, SilenceId};

/// One silence that is not over.
#[utoipa::path(
    get,
    path = "/api/v1/silences/{id}",
    operation_id = "getSilence",
    tag = "silences",
    params(("id" = SilenceId, Path, description = "The id of the silence.")),
    responses((status = 200, description = "The silence.", body = Silence), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<SilenceId>) -> Answer<Silence> {
    let found = parts.backend.silences(&actor).await?.into_iter().find(|one| one.id == id);
    Ok(Json(found.ok_or_else(|| Refusal::NotFound("This silence".to_owned()))?))
}
