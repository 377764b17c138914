//! `GET /api/v1/maintenance/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Maintenance, MaintenanceId, Refusal};

/// One maintenance that is not over.
#[utoipa::path(
    get,
    path = "/api/v1/maintenance/{id}",
    operation_id = "getMaintenance",
    tag = "maintenance",
    params(("id" = MaintenanceId, Path, description = "The id of the maintenance.")),
    responses((status = 200, description = "The maintenance.", body = Maintenance), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<MaintenanceId>,
) -> Answer<Maintenance> {
    let found = parts.backend.maintenances(&actor).await?.into_iter().find(|one| one.id == id);
    Ok(Json(found.ok_or_else(|| Refusal::NotFound("This maintenance".to_owned()))?))
}
