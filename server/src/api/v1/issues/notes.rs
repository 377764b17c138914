//! `GET /api/v1/issues/{id}/notes`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{IssueEntry, IssueId, Page};

/// The story of an issue, newest first: what happened to it, and what people wrote on it. All of it is on one page.
#[utoipa::path(
    get,
    path = "/api/v1/issues/{id}/notes",
    operation_id = "listIssueNotes",
    tag = "issues",
    params(("id" = IssueId, Path, description = "The id of the issue.")),
    responses((status = 200, description = "Its story.", body = Page<IssueEntry>), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<IssueId>,
) -> Answer<Page<IssueEntry>> {
    let items = parts.backend.issue_entries(&actor, id).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
