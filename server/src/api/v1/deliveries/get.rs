//! `GET /api/v1/deliveries/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Delivery, DeliveryId};

/// One delivery with its attempts.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries/{id}",
    operation_id = "getDelivery",
    tag = "deliveries",
    params(("id" = DeliveryId, Path, description = "The delivery's id: what receivers see as `webhook-id`.")),
    responses((status = 200, description = "The delivery.", body = Delivery), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<DeliveryId>) -> Answer<Delivery> {
    Ok(Json(parts.backend.delivery(&actor, id).await?))
}
