//! `POST /api/v1/deliveries/{id}/retry`

use crate::api::{input::Id, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{Delivery, DeliveryId};

/// Tries a failed, scheduled or waiting delivery now. A failed one starts its schedule anew; another one keeps it. One that is
/// being sent, or has arrived, is a conflict.
#[utoipa::path(
    post,
    path = "/api/v1/deliveries/{id}/retry",
    operation_id = "retryDelivery",
    tag = "deliveries",
    params(("id" = DeliveryId, Path, description = "The delivery's id.")),
    responses((status = 202, description = "It is due now.", body = Delivery), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<DeliveryId>,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(parts.backend.retry_delivery(&actor, id).await?)))
}
