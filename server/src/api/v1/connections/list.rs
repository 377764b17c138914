//! `GET /api/v1/connections`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{ConnectionPage, ConnectionQuery, CustomerId, Health};

/// Connections, worst first. `matching` counts what every filter lets through, `totals` what every filter but `health` does.
#[utoipa::path(
    get,
    path = "/api/v1/connections",
    operation_id = "listConnections",
    tag = "connections",
    params(
        ("health" = Option<Vec<Health>>, Query, description = "Any of these healths; repeat the name for several."),
        ("platform" = Option<Vec<String>>, Query, description = "Any of these platforms, by slug."),
        ("customer" = Option<Vec<CustomerId>>, Query, description = "Any of these customers, by id."),
        ("source" = Option<Vec<String>>, Query, description = "Any of these sources, by id or name."),
        ("tag" = Option<Vec<String>>, Query, description = "Any of these tags."),
        ("q" = Option<String>, Query, description = "Search over customer, platform, key, name, tag and request id.", max_length = 200),
        ("sort" = Option<String>, Query, description = "`worst`, `customer`, `platform`, `since` or `last_good_sync`; a leading `-` turns it round.",
            pattern = "^-?(worst|customer|platform|since|last_good_sync)$"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of connections.", content((ConnectionPage = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = ConnectionQuery::from_query(&wanted.query)?;
    if wanted.csv {
        return csv::answer("connections", parts.backend.all_connections(&actor, query).await?).await;
    }
    Ok(Json(parts.backend.connections(&actor, query).await?).into_response())
}
