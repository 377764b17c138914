//! Nobody waits for ever: what has no answer after half a minute gets one that says so. Bodies that stream are not cut.

use crate::api::problem::Problem;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// The layer.
pub async fn layer(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("The answer took too long. Try again in a moment.", 5).into_response(),
    }
}
