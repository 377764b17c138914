//! `GET /api/v1/issues`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{ConnectionId, Issue, IssueQuery, IssueState, Page};

/// Issues, newest first. Those of connections have `connection`; one that stands for an outage has `outage_id` alone.
#[utoipa::path(
    get,
    path = "/api/v1/issues",
    operation_id = "listIssues",
    tag = "issues",
    params(
        ("state" = Option<Vec<IssueState>>, Query, description = "In any of these states; repeat the name for several."),
        ("assignee" = Option<Vec<String>>, Query, description = "With any of these people; `me` is who asks."),
        ("connection" = Option<Vec<ConnectionId>>, Query, description = "Of any of these connections, by id."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of issues.", content((Page<Issue> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = IssueQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.issues(&actor, query).await }
    };
    if wanted.csv {
        return csv::answer("issues", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
