//! `POST /api/v1/sources/{id}/makini-deliveries/{delivery}/retry`

use crate::api::{input::Ids, openapi::Refusals, problem::Problem};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::extract::State;
use axum::http::StatusCode;
use model::SourceId;

/// Asks Makini to deliver one of its webhooks again. It comes through the webhook door, as any other.
#[utoipa::path(
    post,
    path = "/api/v1/sources/{id}/makini-deliveries/{delivery}/retry",
    operation_id = "retryMakiniDelivery",
    tag = "sources",
    params(
        ("id" = SourceId, Path, description = "The source's id."),
        ("delivery" = String, Path, description = "Makini's id of the webhook."),
    ),
    responses((status = 202, description = "Makini was asked."), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Ids(id, delivery): Ids<SourceId, String>,
) -> Result<StatusCode, Problem> {
    parts.backend.retry_makini_delivery(&actor, id, delivery).await?;
    Ok(StatusCode::ACCEPTED)
}
