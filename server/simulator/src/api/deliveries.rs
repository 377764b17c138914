//! The log of webhooks, and sending one again. No such API is published for Makini; this is the shape it might have.

use super::paging;
use crate::auth::Caller;
use crate::clock;
use crate::error::ApiError;
use crate::outbox::{Delivery, DeliveryStatus, NoRetry};
use crate::shared::Shared;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
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
    // What was lost on purpose does not know about itself.
    let wanted = |one: &Delivery| {
        one.status != DeliveryStatus::Dropped && filter.status.is_none_or(|status| status == one.status)
    };
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

/// `POST /api/system/webhooks/deliveries/{id}/retry`: the same id and body, signed again.
pub(crate) async fn retry(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    caller.admin()?;
    shared.change(|world, now| {
        match world.outbox.find(&id).map(|one| one.status) {
            None | Some(DeliveryStatus::Dropped) => {
                return Err(ApiError::not_found(format!("there is no delivery {id}")));
            }
            Some(DeliveryStatus::Delivered) => {
                return Err(ApiError::conflict("ALREADY_DELIVERED", "this webhook was delivered"));
            }
            Some(DeliveryStatus::Pending | DeliveryStatus::Failed) => {}
        }
        match world.outbox.retry(&id, now) {
            Ok(one) => Ok((StatusCode::ACCEPTED, Json(json!({ "data": show(one) })))),
            Err(NoRetry::Unknown) => Err(ApiError::not_found(format!("there is no delivery {id}"))),
            Err(NoRetry::UnderWay) => {
                Err(ApiError::conflict("DELIVERY_IN_PROGRESS", "this webhook is being sent at the moment"))
            }
        }
    })
}

fn show(one: &Delivery) -> Value {
    json!({
        "id": one.id,
        "event": one.event,
        "connection_id": one.connection_id,
        "status": one.status,
        "created_at": clock::stamp(one.created_at),
        "next_attempt_at": one.next_attempt_at.map(clock::stamp),
        "attempts": one.attempts,
    })
}
