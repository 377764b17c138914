//! `GET /api/v1/sources/{id}/makini-deliveries`

use crate::api::{csv, input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::{MakiniDelivery, Page, PageQuery, SourceId};

/// The webhooks that Makini itself could not deliver to us, newest first, asked of Makini now. Not found where a source does not
/// tell of them. A page may be empty although another follows.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{id}/makini-deliveries",
    operation_id = "listMakiniDeliveries",
    tag = "sources",
    params(
        ("id" = SourceId, Path, description = "The source's id."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said; Makini gives 100 at most.", minimum = 1, maximum = 200),
        ("format" = Option<csv::Format>, Query, description = "`csv`: the whole list as CSV, whatever `cursor` and `limit` say; so does `Accept: text/csv`."),
    ),
    responses((status = 200, description = "A page of Makini's own deliveries.", content((Page<MakiniDelivery> = "application/json"), (String = "text/csv"))), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<SourceId>,
    wanted: csv::Wanted,
) -> Result<Response, Problem> {
    let query = PageQuery::from_query(&wanted.query)?;
    let ask = move |query| {
        let (parts, actor) = (parts.clone(), actor.clone());
        async move { parts.backend.makini_deliveries(&actor, id, query).await }
    };
    if wanted.csv {
        return csv::answer("makini-deliveries", csv::pages(query, ask)).await;
    }
    Ok(Json(ask(query).await?).into_response())
}
