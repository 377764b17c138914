//! `GET /api/v1/rules/{id}/changes`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Page, RuleChange, RuleId};

/// What was changed on a rule and by whom, newest first; also of one that was taken away. All of it is on one page.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}/changes",
    operation_id = "listRuleChanges",
    tag = "rules",
    params(("id" = RuleId, Path, description = "The id of the rule.")),
    responses((status = 200, description = "Its history.", body = Page<RuleChange>), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<RuleId>) -> Answer<Page<RuleChange>> {
    let items = parts.backend.rule_changes(&actor, id).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
