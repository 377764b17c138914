//! `PATCH /api/v1/rules/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Rule, RuleId, RulePatch};

/// Changes a rule; its alerts follow at once. What is absent stays, `when` and `scope` are replaced as a whole. With the `version`
/// that was read, a change made meanwhile is a conflict.
#[utoipa::path(
    patch,
    path = "/api/v1/rules/{id}",
    operation_id = "changeRule",
    tag = "rules",
    params(("id" = RuleId, Path, description = "The id of the rule.")),
    request_body = RulePatch,
    responses((status = 200, description = "The rule as it is now.", body = Rule), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<RuleId>,
    Input(patch): Input<RulePatch>,
) -> Answer<Rule> {
    Ok(Json(parts.backend.change_rule(&actor, id, patch).await?))
}
