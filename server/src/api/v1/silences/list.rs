//! `GET /api/v1/silences`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use model::{Page, PageQuery, Silence};

/// Silences that are not over, the next to end first; always on one page.
#[utoipa::path(
    get,
    path = "/api/v1/silences",
    operation_id = "listSilences",
    tag = "silences",
    params(("format" = Option<csv::Format>, Query, description = "`csv`: as CSV; so does `Accept: text/csv`.")),
    responses((status = 200, description = "The silences.", content((Page<Silence> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    PageQuery::from_query(&wanted.query)?;
    let items = parts.backend.silences(&actor).await?;
    if wanted.csv {
        return csv::answer("silences", stream::iter(items.into_iter().map(Ok)).boxed()).await;
    }
    Ok(Json(Page { items, next_cursor: None }).into_response())
}
