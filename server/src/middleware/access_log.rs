//! One line for every answer, and the counters of the doors.
//!
//! The query never reaches the log: searches hold customers' names, and addresses made by others hold secrets.

use super::request_id::asked;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, histogram};
use std::time::Instant;
use tracing::Instrument as _;

/// The layer.
pub async fn layer(request: Request, next: Next) -> Response {
    let (began, id) = (Instant::now(), asked().id);
    let (method, path) = (method(request.method()), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request_id = %id);
    let response = next.run(request).instrument(span).await;

    let (status, took) = (response.status().as_u16(), began.elapsed());
    let ms = took.as_secs_f64() * 1_000.0;
    if status >= 500 {
        tracing::warn!(request_id = %id, method, path, status, ms, "{method} {path} failed with {status}");
    } else if status < 400 && quiet(&path) {
        tracing::debug!(request_id = %id, method, path, status, ms, "{method} {path} answered {status}");
    } else {
        tracing::info!(request_id = %id, method, path, status, ms, "{method} {path} answered {status}");
    }
    counter!("linewatch_http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    histogram!("linewatch_http_request_seconds", "method" => method, "route" => route).record(took.as_secs_f64());
    response
}

/// What asks every few seconds, what a browser keeps anyway, and what comes by the thousand and leaves a row each.
fn quiet(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics")
        || ["/webhooks/", "/pkg/", "/fonts/"].iter().any(|begin| path.starts_with(begin))
}

/// A method as a label; made-up ones must not make labels.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
