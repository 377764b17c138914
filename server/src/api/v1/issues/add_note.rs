//! `POST /api/v1/issues/{id}/notes`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    problem::Problem,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{IssueEntry, IssueId, NewNote};

/// Writes something down on an issue. It makes nobody's `version` stale.
#[utoipa::path(
    post,
    path = "/api/v1/issues/{id}/notes",
    operation_id = "addIssueNote",
    tag = "issues",
    params(("id" = IssueId, Path, description = "The id of the issue.")),
    request_body = NewNote,
    responses((status = 201, description = "The note.", body = IssueEntry), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<IssueId>,
    Input(note): Input<NewNote>,
) -> Result<(StatusCode, Json<IssueEntry>), Problem> {
    Ok((StatusCode::CREATED, Json(parts.backend.note_issue(&actor, id, note).await?)))
}
