//! No body larger than a form or an API call can need. The webhook door has a limit of its own.

use crate::api::problem::Problem;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header::CONTENT_LENGTH};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::Limited;

/// The most that is read, in bytes.
pub const MOST: usize = 1 << 20;

/// The layer.
pub async fn layer(request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MOST as u64) {
        return too_large().into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, MOST)))).await
}

/// 413.
pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "Too large",
        format!("A body may have {MOST} bytes at most."),
    )
}
