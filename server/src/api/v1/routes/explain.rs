//! `POST /api/v1/routes/explain`

use crate::api::{
    input::Maybe,
    openapi::{InputRefusals, Refusals},
    v1::Answer,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use model::{Explanation, RouteSample};

/// Why an alert goes where it goes, or where a sample would go. Changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/routes/explain",
    operation_id = "explainRoute",
    tag = "routes",
    request_body = Option<RouteSample>,
    responses((status = 200, description = "What each stage decides, in order.", body = Explanation), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Maybe(sample): Maybe<RouteSample>,
) -> Answer<Explanation> {
    Ok(Json(parts.backend.explain_route(&actor, sample).await?))
}
