//! `GET /api/v1/alerts/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Alert, AlertId};

/// One alert.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{id}",
    operation_id = "getAlert",
    tag = "alerts",
    params(("id" = AlertId, Path, description = "The id of the alert.")),
    responses((status = 200, description = "The alert.", body = Alert), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<AlertId>) -> Answer<Alert> {
    Ok(Json(parts.backend.alert(&actor, id).await?))
}
