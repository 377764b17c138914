//! `POST /api/v1/rules/preview`

use crate::api::{
    input::Input,
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Preview, PreviewWish};

/// What a rule would have done over the last days, by the code that would run it: its firings, and what other patiences would
/// have given. Nothing is saved, and it needs no name yet.
#[utoipa::path(
    post,
    path = "/api/v1/rules/preview",
    operation_id = "previewRule",
    tag = "rules",
    request_body = PreviewWish,
    responses((status = 200, description = "What it would have done.", body = Preview), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(wish): Input<PreviewWish>,
) -> Answer<Preview> {
    Ok(Json(parts.backend.preview_rule(&actor, wish).await?))
}
