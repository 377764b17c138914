//! `GET /api/v1/connections/{id}/syncs`

use crate::api::{csv, input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{ConnectionId, Page, PageQuery, Sync};

/// The syncs of a connection that ended, newest first, as webhooks and polls have told of them.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/syncs",
    operation_id = "listConnectionSyncs",
    tag = "connections",
    params(
        ("id" = ConnectionId, Path, description = "Linewatch's id of the connection."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of items.", content((Page<Sync> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = PageQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.syncs(&actor, id, query).await }
    };
    if wanted.csv {
        return csv::answer("syncs", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
