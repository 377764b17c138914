//! Lists of records, by page, with filters and an order.

use super::paging::{Page, Pages};
use crate::api::records;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::records::{Query, Record};
use crate::shared::Shared;
use axum::Json;
use axum::extract::{Path, State};

/// `GET /api/{eam,erp,wms}/{entity}`
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Path(entity): Path<String>,
    pages: Pages,
) -> Result<Json<Page<Record>>, ApiError> {
    let (entity, shelf) = records::open(&shared, caller, &entity)?;
    let found = Query::read(entity, &pages.rest)?.apply(shelf.all());
    let total = found.len();
    let page = found.into_iter().skip(pages.before()).take(pages.size()).map(|(_, record)| record);
    Ok(Json(pages.write(page.collect(), total)))
}
