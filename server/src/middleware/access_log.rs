//! One line for every answer, and the counters of the doors.
//!
//! The query never reaches the log: searches hold customers' names, and addresses made by others hold secrets.

use super::request_id::asked;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Counter, Histogram, counter, histogram};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tracing::Instrument as _;

/// Upstream's herds may fail by the thousand, and each is counted: one line a second says enough.
static FAILED_WEBHOOKS: Brake = Brake::new(Duration::from_secs(1));

/// What nearly every webhook is counted with, looked up once.
static TAKEN_WEBHOOKS: OnceLock<(Counter, Histogram)> = OnceLock::new();

/// The layer.
pub async fn layer(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && request.uri().path().starts_with("/webhooks/") {
        webhook(request, next).await
    } else {
        any(request, next).await
    }
}

/// Webhooks come by the thousand, so one that is taken costs no more than it must.
async fn webhook(request: Request, next: Next) -> Response {
    let (began, uri) = (Instant::now(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    match route {
        Some(route) if response.status() == StatusCode::OK => {
            let (answered, seconds) = TAKEN_WEBHOOKS.get_or_init(|| {
                let route = route.as_str().to_owned();
                let seconds =
                    histogram!("linewatch_http_request_seconds", "method" => "POST", "route" => route.clone());
                let answered =
                    counter!("linewatch_http_requests_total", "method" => "POST", "route" => route, "status" => "200");
                (answered, seconds)
            });
            answered.increment(1);
            seconds.record(began.elapsed().as_secs_f64());
        }
        route => told("POST", uri.path(), route.as_ref(), &response, began.elapsed()),
    }
    response
}

async fn any(request: Request, next: Next) -> Response {
    let (began, id) = (Instant::now(), asked().id);
    let (method, uri) = (method(request.method()), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", request_id = %id);
    let response = next.run(request).instrument(span).await;
    told(method, uri.path(), route.as_ref(), &response, began.elapsed());
    response
}

/// Logs and counts an answer.
fn told(method: &'static str, path: &str, route: Option<&MatchedPath>, response: &Response, took: Duration) {
    let (status, id, path) = (response.status().as_u16(), asked().id, shown(path));
    let route = route.map_or("(none)", MatchedPath::as_str).to_owned();
    let ms = took.as_secs_f64() * 1_000.0;
    let webhook = path.starts_with("/webhooks/");
    let unsaid = if status < 500 || !webhook { Some(0) } else { FAILED_WEBHOOKS.lets_through(Instant::now()) };
    if status >= 500
        && let Some(unsaid) = unsaid
    {
        tracing::warn!(request_id = %id, method, path, status, ms, unsaid, "{method} {path} failed with {status}");
    } else if webhook || (status < 400 && quiet(path)) {
        tracing::debug!(request_id = %id, method, path, status, ms, "{method} {path} answered {status}");
    } else {
        tracing::info!(request_id = %id, method, path, status, ms, "{method} {path} answered {status}");
    }
    counter!("linewatch_http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    histogram!("linewatch_http_request_seconds", "method" => method, "route" => route).record(took.as_secs_f64());
}

/// The path as it may be told: a customer's link is a secret.
fn shown(path: &str) -> &str {
    if path.starts_with("/r/") { "/r/…" } else { path }
}

/// What asks every few seconds, and what a browser keeps anyway. Webhooks are quieter still: they come by the thousand, and
/// leave a row each when they are taken, a count and samples when they are refused.
fn quiet(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics")
        || ["/pkg/", "/fonts/"].iter().any(|begin| path.starts_with(begin))
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

/// Lets one line through in a while, and counts the others.
struct Brake {
    every: Duration,
    /// When the last one was let through, and how many were not since.
    last: Mutex<(Option<Instant>, u64)>,
}

impl Brake {
    const fn new(every: Duration) -> Self {
        Self { every, last: Mutex::new((None, 0)) }
    }

    /// Whether this one is said; if so, how many were not since the last.
    fn lets_through(&self, now: Instant) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0.is_some_and(|at| now.saturating_duration_since(at) < self.every) {
            last.1 += 1;
            return None;
        }
        let unsaid = last.1;
        *last = (Some(now), 0);
        Some(unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_customers_are_not_told() {
        assert_eq!(shown("/r/AAECAwQFBgcICQoLDA0ODw"), "/r/…");
        assert_eq!(shown("/reports"), "/reports");
    }

    #[test]
    fn a_flood_is_one_line_a_second() {
        let (brake, began) = (Brake::new(Duration::from_secs(1)), Instant::now());
        let said: Vec<_> = (0..2_500).filter_map(|ms| brake.lets_through(began + Duration::from_millis(ms))).collect();
        assert_eq!(said, [0, 999, 999]);
    }
}
