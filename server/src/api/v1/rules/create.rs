//! `POST /api/v1/rules`

use crate::api::{
    input::Input,
    openapi::{InputRefusals, Refusals},
    problem::Problem,
};
use crate::auth::Caller;
use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header::LOCATION};
use axum::response::IntoResponse;
use model::{NewRule, Rule};

/// Adds a rule. Everything that it holds for is looked at once: what has held for long enough fires now.
#[utoipa::path(
    post,
    path = "/api/v1/rules",
    operation_id = "createRule",
    tag = "rules",
    request_body = NewRule,
    responses((status = 201, description = "The rule; `Location` names it.", body = Rule), Refusals, InputRefusals),
)]
pub async fn handle(
    State(parts): State<Parts>,
    Caller(actor): Caller,
    Input(new): Input<NewRule>,
) -> Result<impl IntoResponse, Problem> {
    let rule = parts.backend.add_rule(&actor, new).await?;
    let place = format!("/api/v1/rules/{}", rule.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(rule)))
}
