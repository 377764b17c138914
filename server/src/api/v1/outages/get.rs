//! `GET /api/v1/outages/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Outage, OutageId};

/// One outage.
#[utoipa::path(
    get,
    path = "/api/v1/outages/{id}",
    operation_id = "getOutage",
    tag = "outages",
    params(("id" = OutageId, Path, description = "The id of the outage.")),
    responses((status = 200, description = "The outage.", body = Outage), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<OutageId>) -> Answer<Outage> {
    Ok(Json(parts.backend.outage(&actor, id).await?))
}
