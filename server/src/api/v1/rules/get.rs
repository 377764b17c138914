//! `GET /api/v1/rules/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Rule, RuleId};

/// One rule, read back as a sentence.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}",
    operation_id = "getRule",
    tag = "rules",
    params(("id" = RuleId, Path, description = "The id of the rule.")),
    responses((status = 200, description = "The rule.", body = Rule), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<RuleId>) -> Answer<Rule> {
    Ok(Json(parts.backend.rule(&actor, id).await?))
}
