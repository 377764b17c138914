//! `GET /api/v1/outages/{id}/told`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{OutageId, Page, Told};

/// Who was told of an outage, by what means and when, or why nobody was; newest first, on one page. Messages about single connections
/// that went out before the outage stood for them are among it.
#[utoipa::path(
    get,
    path = "/api/v1/outages/{id}/told",
    operation_id = "listToldOfOutage",
    tag = "outages",
    params(("id" = OutageId, Path, description = "The id of the outage.")),
    responses((status = 200, description = "Who was told.", body = Page<Told>), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<OutageId>) -> Answer<Page<Told>> {
    let items = parts.backend.told_of_outage(&actor, id).await?;
    Ok(Json(Page { items, next_cursor: None }))
}
