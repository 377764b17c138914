//! `GET /api/v1/failures`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{ConnectionId, EndpointId, Failure, FailureKind, FailureQuery, Page};

/// Everything that failed, newest first. A thing is here from its first failed attempt until it is done; rejections and gaps
/// stay until retention.
#[utoipa::path(
    get,
    path = "/api/v1/failures",
    operation_id = "listFailures",
    tag = "failures",
    params(
        ("kind" = Option<Vec<FailureKind>>, Query, description = "Any of these kinds; repeat the name for several."),
        ("connection" = Option<ConnectionId>, Query, description = "Of this connection."),
        ("endpoint" = Option<EndpointId>, Query, description = "On the way to this endpoint."),
        ("source" = Option<Vec<String>>, Query, description = "Of any of these sources, by id or name."),
        ("error" = Option<Vec<String>>, Query, description = "With any of these classes of error."),
        ("since" = Option<DateTime<Utc>>, Query, description = "First failed at or after this."),
        ("until" = Option<DateTime<Utc>>, Query, description = "First failed before this."),
        ("q" = Option<String>, Query, description = "With this text in the error or in what is shown of the payload: hidden values are not found. For who may see payloads."),
        ("path" = Option<String>, Query, description = "With `q` at this place of the payload, such as `data.error.code`."),
        ("id" = Option<Vec<Uuid>>, Query, description = "These things alone."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of failures.", content((Page<Failure> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = FailureQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.failures(&actor, query).await }
    };
    if wanted.csv {
        return csv::answer("failures", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
