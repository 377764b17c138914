//! `PATCH /api/v1/sources/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Source, SourceId, SourcePatch};

/// Changes a source. What is absent stays. With the `version` that was read, a change made meanwhile is a conflict.
#[utoipa::path(
    patch,
    path = "/api/v1/sources/{id}",
    operation_id = "changeSource",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source's id.")),
    request_body = SourcePatch,
    responses((status = 200, description = "The source as it is now.", body = Source), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<SourceId>,
    Input(patch): Input<SourcePatch>,
) -> Answer<Source> {
    Ok(Json(parts.backend.change_source(&actor, id, patch).await?))
}
