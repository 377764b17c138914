//! `GET /api/v1/customers`

use crate::api::{csv, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{Customer, CustomerQuery, Page};

/// Customers, by name.
#[utoipa::path(
    get,
    path = "/api/v1/customers",
    operation_id = "listCustomers",
    tag = "customers",
    params(
        ("q" = Option<String>, Query, description = "Search over the name.", max_length = 200),
        ("tag" = Option<Vec<String>>, Query, description = "Any of these tags; repeat the name for several."),
        ("tier" = Option<Vec<String>>, Query, description = "Any of these tiers."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of customers.", content((Page<Customer> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = CustomerQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.customers(&actor, query).await }
    };
    if wanted.csv {
        return csv::answer("customers", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
