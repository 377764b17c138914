//! `POST /api/v1/sources/{id}/webhook-secrets`

use crate::api::{
    input::{Id, Input},
    openapi::{InputRefusals, Refusals},
    problem::Problem,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{NewWebhookSecret, Source, SourceId};

/// Adds a webhook secret. Those before it stay live until they are retired, so that none of Makini's webhooks is lost.
#[utoipa::path(
    post,
    path = "/api/v1/sources/{id}/webhook-secrets",
    operation_id = "addWebhookSecret",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source's id.")),
    request_body = NewWebhookSecret,
    responses((status = 201, description = "The source as it is now.", body = Source), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Id(id): Id<SourceId>,
    Input(new): Input<NewWebhookSecret>,
) -> Result<(StatusCode, Json<Source>), Problem> {
    Ok((StatusCode::CREATED, Json(parts.backend.add_webhook_secret(&actor, id, new).await?)))
}
