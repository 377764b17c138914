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
/// The most that the sign-in form needs, in bytes: it is read from anybody, so nobody may fill memory with it.
const SIGN_IN: usize = 16 << 10;

/// The layer.
pub async fn layer(request: Request, next: Next) -> Response {
    let most = if request.uri().path() == "/login" { SIGN_IN } else { MOST };
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most as u64) {
        return larger_than(most).into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, most)))).await
}

/// 413.
pub fn too_large() -> Problem {
    larger_than(MOST)
}

fn larger_than(most: usize) -> Problem {
    let detail = format!("A body may have {most} bytes at most.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, middleware::from_fn, routing::post};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    async fn whole(body: Body) -> StatusCode {
        if body.collect().await.is_ok() { StatusCode::OK } else { StatusCode::BAD_REQUEST }
    }

    #[tokio::test]
    async fn who_is_not_known_yet_may_send_little() {
        let router = Router::new().route("/login", post(whole)).route("/api", post(whole)).layer(from_fn(layer));
        for (path, length, announced, status) in [
            ("/login", SIGN_IN, true, 200),
            ("/login", SIGN_IN + 1, true, 413),
            ("/login", SIGN_IN + 1, false, 400),
            ("/api", SIGN_IN + 1, true, 200),
            ("/api", MOST + 1, true, 413),
        ] {
            let mut request = Request::post(path).body(Body::from(vec![b'x'; length])).unwrap();
            if announced {
                request.headers_mut().insert(CONTENT_LENGTH, length.into());
            }
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path} {length}");
        }
    }
}
