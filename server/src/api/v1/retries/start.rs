//! `POST /api/v1/retries`

use crate::api::{
    input::Input,
    openapi::{InputRefusals, Refusals},
    problem::Problem,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{NewRetry, Retry};

/// Tries everything again that a filter lets through and that can be. With `dry_run` nothing is done, and only the exact count is
/// told.
#[utoipa::path(
    post,
    path = "/api/v1/retries",
    operation_id = "startRetry",
    tag = "retries",
    request_body = NewRetry,
    responses(
        (status = 200, description = "A preview: with how many.", body = Retry),
        (status = 202, description = "It is under way.", body = Retry),
        Refusals,
        InputRefusals,
    ),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewRetry>,
) -> Result<(StatusCode, Json<Retry>), Problem> {
    let retry = parts.backend.start_retry(&actor, new).await?;
    Ok((if retry.id.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK }, Json(retry)))
}
