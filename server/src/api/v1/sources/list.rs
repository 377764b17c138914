//! `GET /api/v1/sources`

use crate::api::{openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Page, Source};

/// Every source, by name; always on one page.
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    operation_id = "listSources",
    tag = "sources",
    responses((status = 200, description = "The sources.", body = Page<Source>), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller) -> Answer<Page<Source>> {
    let items = parts.backend.sources(&actor).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
