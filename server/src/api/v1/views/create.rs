//! `POST /api/v1/views`

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
use model::{NewView, SavedView};

/// Keeps a view. Its name is yours once; to share it takes the role “support”.
#[utoipa::path(
    post,
    path = "/api/v1/views",
    operation_id = "addView",
    tag = "views",
    request_body = NewView,
    responses((status = 201, description = "It is kept.", body = SavedView), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewView>,
) -> Result<(StatusCode, Json<SavedView>), Problem> {
    Ok((StatusCode::CREATED, Json(parts.backend.add_view(&actor, new).await?)))
}
