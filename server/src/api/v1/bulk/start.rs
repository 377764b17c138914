//! `POST /api/v1/bulk`

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
use model::{Bulk, NewBulk};

/// Does one thing with every connection that a filter lets through. With `dry_run` nothing is done, and only the exact count is
/// told.
#[utoipa::path(
    post,
    path = "/api/v1/bulk",
    operation_id = "startBulk",
    tag = "bulk",
    request_body = NewBulk,
    responses(
        (status = 200, description = "A preview: with how many.", body = Bulk),
        (status = 202, description = "It is under way.", body = Bulk),
        Refusals,
        InputRefusals,
    ),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewBulk>,
) -> Result<(StatusCode, Json<Bulk>), Problem> {
    let bulk = parts.backend.start_bulk(&actor, new).await?;
    Ok((if bulk.id.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK }, Json(bulk)))
}
