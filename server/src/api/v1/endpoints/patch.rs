//! `PATCH /api/v1/endpoints/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Endpoint, EndpointId, EndpointPatch};

/// Changes an endpoint. What is absent stays. Switched off, it keeps what is due, and the clock of its deliveries stands still.
/// With the `version` that was read, a change made meanwhile is a conflict.
#[utoipa::path(
    patch,
    path = "/api/v1/endpoints/{id}",
    operation_id = "changeEndpoint",
    tag = "endpoints",
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    request_body = EndpointPatch,
    responses((status = 200, description = "The endpoint as it is now.", body = Endpoint), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<EndpointId>,
    Input(patch): Input<EndpointPatch>,
) -> Answer<Endpoint> {
    Ok(Json(parts.backend.change_endpoint(&actor, id, patch).await?))
}
