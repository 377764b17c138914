//! `PATCH /api/v1/customers/{id}`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Customer, CustomerId, CustomerPatch};

/// Changes what is ours on a customer. What is absent stays; null takes away. A stale `version` is refused (409).
#[utoipa::path(
    patch,
    path = "/api/v1/customers/{id}",
    operation_id = "changeCustomer",
    tag = "customers",
    params(("id" = CustomerId, Path, description = "The id of the customer.")),
    request_body = CustomerPatch,
    responses((status = 200, description = "The customer as it is now.", body = Customer), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<CustomerId>,
    Input(patch): Input<CustomerPatch>,
) -> Answer<Customer> {
    Ok(Json(parts.backend.change_customer(&actor, id, patch).await?))
}
