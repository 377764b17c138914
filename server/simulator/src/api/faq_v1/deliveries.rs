//! The log of webhooks, by cursor.

use super::paging;
use crate::api::deliveries::{show, wanted};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::outbox::DeliveryStatus;
use crate::shared::Shared;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which deliveries.
#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    status: Option<DeliveryStatus>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// `GET /api/system/webhooks/deliveries`, newest first.
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    caller.admin()?;
    let Query(filter) = filter.map_err(|error| ApiError::invalid(error.body_text()))?;
    let page = paging::Paging::new(filter.cursor, filter.limit);
    let (limit, before) = (page.limit()?, page.after()?.unwrap_or(u64::MAX));
    let wanted = |one: &_| wanted(one, filter.status);
    Ok(Json(shared.read(|world| {
        let log = &world.outbox.log;
        let mut found = log.range(..before).rev().filter(|(_, one)| wanted(one));
        let page: Vec<_> = found.by_ref().take(limit).collect();
        let more = found.next().is_some();
        json!({
            "data": page.iter().map(|(_, one)| show(one)).collect::<Vec<_>>(),
            "next_cursor": page.last().filter(|_| more).map(|(seq, _)| paging::write(**seq)),
            "total": log.values().filter(|one| wanted(one)).count(),
        })
    })))
}
