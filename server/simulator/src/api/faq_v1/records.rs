//! Lists of records, by cursor, within a window of time.

use super::paging::{self, Paging};
use crate::api::records;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::records::Window;
use crate::shared::Shared;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

/// `GET /api/v1/{entity}`, and the same under `/api/{eam,erp,wms}`
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Path(entity): Path<String>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let (_, shelf) = records::open(&shared, caller, &entity)?;
    let Query(query) = query.map_err(|error| ApiError::invalid(error.body_text()))?;
    let of = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let paging = Paging::new(of("cursor"), of("limit"));
    let (limit, after, window) = (paging.limit()?, paging.after()?, Window::read(&query)?);
    let mut found = shelf.all();
    found.retain(|(_, record)| window.holds(record));
    let total = found.len();
    let mut left = found.into_iter().filter(|(place, _)| after.is_none_or(|after| *place > after));
    let page: Vec<_> = left.by_ref().take(limit).collect();
    let more = left.next().is_some();
    let next_cursor = page.last().filter(|_| more).map(|(place, _)| paging::write(*place));
    let data: Vec<_> = page.into_iter().map(|(_, record)| record).collect();
    Ok(Json(json!({ "data": data, "next_cursor": next_cursor, "total": total })))
}
