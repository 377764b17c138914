//! `PATCH /api/v1/issues/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Issue, IssueId, IssuePatch};

/// Takes, hands over, snoozes, ends or reopens an issue. What is absent stays; null takes away. A stale `version` is 409 and changes
/// nothing, but who resolves wins over who acknowledged or assigned meanwhile.
#[utoipa::path(
    patch,
    path = "/api/v1/issues/{id}",
    operation_id = "changeIssue",
    tag = "issues",
    params(("id" = IssueId, Path, description = "The id of the issue.")),
    request_body = IssuePatch,
    responses((status = 200, description = "The issue as it is now.", body = Issue), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<IssueId>,
    Input(patch): Input<IssuePatch>,
) -> Answer<Issue> {
    Ok(Json(parts.backend.change_issue(&actor, id, patch).await?))
}
