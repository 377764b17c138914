//! `GET /api/v1/issues/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Issue, IssueId};

/// One issue.
#[utoipa::path(
    get,
    path = "/api/v1/issues/{id}",
    operation_id = "getIssue",
    tag = "issues",
    params(("id" = IssueId, Path, description = "The id of the issue.")),
    responses((status = 200, description = "The issue.", body = Issue), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<IssueId>) -> Answer<Issue> {
    Ok(Json(parts.backend.issue(&actor, id).await?))
}
