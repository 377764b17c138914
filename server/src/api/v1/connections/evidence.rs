//! `GET /api/v1/connections/{id}/evidence`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::{RawQuery, State};
use model::{ConnectionId, Evidence, Page, PageQuery};

/// What was seen of a connection, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/evidence",
    operation_id = "listConnectionEvidence",
    tag = "connections",
    params(
        ("id" = ConnectionId, Path, description = "Linewatch's id of the connection."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u16>, Query, description = "Rows a page: 1 to 200, 50 unless said.", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "A page of items.", body = Page<Evidence>), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<ConnectionId>,
    RawQuery(query): RawQuery,
) -> Answer<Page<Evidence>> {
    let page = PageQuery::from_query(&query.unwrap_or_default())?;
    Ok(Json(parts.backend.evidence(&actor, id, page).await?))
}
