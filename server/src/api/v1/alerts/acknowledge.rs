//! `POST /api/v1/alerts/{id}/acknowledge`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Alert, AlertId};

/// Takes an alert: nobody is reminded of it while it fires. Twice by the same person is once; one that is over, or somebody
/// else's, is 409.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{id}/acknowledge",
    operation_id = "acknowledgeAlert",
    tag = "alerts",
    params(("id" = AlertId, Path, description = "The id of the alert.")),
    responses((status = 200, description = "The alert as it is now.", body = Alert), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<AlertId>) -> Answer<Alert> {
    Ok(Json(parts.backend.acknowledge_alert(&actor, id).await?))
}
