//! `DELETE /api/v1/sources/{id}/webhook-secrets/{secret}`

use crate::api::{input::Ids, openapi::Refusals, v1::Answer};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{SecretId, Source, SourceId};

/// Retires a webhook secret: what is signed with it is refused from now on.
#[utoipa::path(
    delete,
    path = "/api/v1/sources/{id}/webhook-secrets/{secret}",
    operation_id = "retireWebhookSecret",
    tag = "sources",
    params(
        ("id" = SourceId, Path, description = "The source's id."),
        ("secret" = SecretId, Path, description = "The id of the webhook secret."),
    ),
    responses((status = 200, description = "The source as it is now.", body = Source), Refusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Ids(id, secret): Ids<SourceId, SecretId>,
) -> Answer<Source> {
    Ok(Json(parts.backend.retire_webhook_secret(&actor, id, secret).await?))
}
