//! `GET /api/v1/deliveries`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{Delivery, DeliveryQuery, DeliveryState, EndpointId, EventId, Page};

/// Deliveries, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    operation_id = "listDeliveries",
    tag = "deliveries",
    params(
        ("event" = Option<EventId>, Query, description = "Of this event."),
        ("endpoint" = Option<EndpointId>, Query, description = "To this endpoint."),
        ("state" = Option<Vec<DeliveryState>>, Query, description = "Any of these states; repeat the name for several."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of deliveries.", content((Page<Delivery> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = DeliveryQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.deliveries(&actor, query).await }
    };
    if wanted.csv {
        return csv::answer("deliveries", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
