//! `DELETE /api/v1/rules/{id}`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::RuleId;

/// Takes a rule away. What fires of it is over; its history and its alerts stay.
#[utoipa::path(
    delete,
    path = "/api/v1/rules/{id}",
    operation_id = "removeRule",
    tag = "rules",
    params(("id" = RuleId, Path, description = "The id of the rule.")),
    responses((status = 204, description = "It is taken away."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<RuleId>,
) -> Result<StatusCode, Problem> {
    parts.backend.remove_rule(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
