//! `GET /api/v1/alerts`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{Alert, AlertQuery, AlertState, ConnectionId, Page, RuleId};

/// Alerts, newest first: those that are pending or fire, unless `state` asks for others.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    operation_id = "listAlerts",
    tag = "alerts",
    params(
        ("state" = Option<Vec<AlertState>>, Query, description = "In any of these states; repeat the name for several."),
        ("rule" = Option<RuleId>, Query, description = "Of this rule, by id."),
        ("connection" = Option<ConnectionId>, Query, description = "About this connection, by id."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of alerts.", content((Page<Alert> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = AlertQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.alerts(&actor, query).await }
    };
    if wanted.csv {
        return csv::answer("alerts", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
