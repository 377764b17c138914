//! `GET /api/v1/events`

use crate::api::{openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::{RawQuery, State};
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
    ),
    responses((status = 200, description = "A page of events.", body = Page<Event>), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    RawQuery(query): RawQuery,
) -> Answer<Page<Event>> {
    let query = EventQuery::from_query(&query.unwrap_or_default())?;
    Ok(Json(parts.backend.events(&actor, query).await?))
}
