//! `GET /api/v1/customers/{id}`

use crate::api::{input::Id, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Customer, CustomerId};

/// One customer.
#[utoipa::path(
    get,
    path = "/api/v1/customers/{id}",
    operation_id = "getCustomer",
    tag = "customers",
    params(("id" = CustomerId, Path, description = "The id of the customer.")),
    responses((status = 200, description = "The customer.", body = Customer), Refusals),
)]
pub async fn handle(State(parts): State<Parts>, Caller(actor): Caller, Id(id): Id<CustomerId>) -> Answer<Customer> {
    Ok(Json(parts.backend.customer(&actor, id).await?))
}
