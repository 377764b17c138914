//! `GET /api/v1/events`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{ConnectionId, Event, EventQuery, EventState, Page};

/// Received webhooks, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "listEvents",
    tag = "events",
    params(
        ("webhook_id" = Option<String>, Query, description = "Makini's id of the webhook."),
        ("state" = Option<Vec<EventState>>, Query, description = "Any of these states; repeat the name for several."),
        ("kind" = Option<Vec<String>>, Query, description = "Any of these kinds, as Makini names them."),
        ("connection" = Option<ConnectionId>, Query, description = "About this connection."),
        ("source" = Option<Vec<String>>, Query, description = "Any of these sources, by id or name."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of events.", content((Page<Event> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = EventQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.events(&actor, query).await }
    };
    if wanted.csv {
        return csv::answer("events", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
