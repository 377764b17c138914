//! `DELETE /api/v1/maintenance/{id}`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::MaintenanceId;

/// Ends maintenance now; what still fires is told.
#[utoipa::path(
    delete,
    path = "/api/v1/maintenance/{id}",
    operation_id = "endMaintenance",
    tag = "maintenance",
    params(("id" = MaintenanceId, Path, description = "The id of the maintenance.")),
    responses((status = 204, description = "It is over."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<MaintenanceId>,
) -> Result<StatusCode, Problem> {
    parts.backend.end_maintenance(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
