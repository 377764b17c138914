//! The log of webhooks, and sending one again. No such API is published for Makini; this is the shape it might have. Each
//! dialect lists in its own way.

use crate::auth::Caller;
use crate::clock;
use crate::error::ApiError;
use crate::outbox::{Delivery, DeliveryStatus, NoRetry};
use crate::shared::Shared;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// Whether a delivery is listed under this status; under none, whether it is listed at all.
pub(crate) fn wanted(one: &Delivery, status: Option<DeliveryStatus>) -> bool {
    // What was lost on purpose does not know about itself.
    one.status != DeliveryStatus::Dropped && status.is_none_or(|status| status == one.status)
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

/// A delivery on the wire.
pub(crate) fn show(one: &Delivery) -> Value {
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
