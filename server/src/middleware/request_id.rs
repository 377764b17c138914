//! A number for every request, in its answer, its log line and its problems; and the version, in its answer.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header::ACCEPT};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// The header that holds it, in both directions.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Which version answers.
pub const X_LINEWATCH_VERSION: HeaderName = HeaderName::from_static("x-linewatch-version");

tokio::task_local! {
    static ASKED: Asked;
}

/// What a problem wants to know of the request that it answers.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The number of the request.
    pub id: Arc<str>,
    /// A person looks at the answer, in a browser.
    pub page: bool,
}

/// The request being answered; outside of one, a request without a number.
pub fn asked() -> Asked {
    ASKED.try_with(Clone::clone).unwrap_or_else(|_| Asked { id: "none".into(), page: false })
}

/// The layer. A number that comes from outside is kept if it is harmless in logs, so that one number follows a request
/// through proxies.
pub async fn layer(request: Request, next: Next) -> Response {
    let given = request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| harmless(id));
    let id: Arc<str> = given.map_or_else(|| engine::clock::new_id().simple().to_string().into(), Arc::from);
    let accepts_html =
        request.headers().get(ACCEPT).and_then(|it| it.to_str().ok()).is_some_and(|it| it.contains("text/html"));
    let page = accepts_html && !["/api/", "/webhooks/"].iter().any(|door| request.uri().path().starts_with(door));
    let mut response = ASKED.scope(Asked { id: id.clone(), page }, next.run(request)).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response.headers_mut().insert(X_LINEWATCH_VERSION, HeaderValue::from_static(crate::VERSION));
    response
}

fn harmless(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn only_harmless_numbers_are_kept() {
        assert!(harmless("0190a3c4-7d1e.trace_7"));
        for id in ["", "a b", "a\nb", "naïve", "x=\"1\"", &"a".repeat(65)] {
            assert!(!harmless(id), "{id}");
        }
    }
}
