//! Whether a request that changes something was made by our own pages. Browsers add cookies to requests that other sites
//! cause; they also say so, in headers that no script can forge.

use crate::api::problem::Problem;
use crate::auth::{Identity, Via};
use crate::wiring::Parts;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The layer. What is done by cookie must come from our own pages. Signing in has no cookie yet, and browsers keep the cookie
/// from a form of another site that signs out; there, a request that no browser made may also come from nowhere. A bearer token is never added by a browser, so it proves itself.
pub async fn layer(State(parts): State<Parts>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let by_cookie =
        request.extensions().get::<Identity>().is_some_and(|identity| matches!(identity.via, Via::Session(_)));
    let signing = matches!(request.uri().path(), "/login" | "/logout");
    let from = origin(request.headers(), &parts.public_url);
    if from == From::Elsewhere && (by_cookie || signing) || from == From::Nowhere && by_cookie {
        tracing::warn!(path = request.uri().path(), from = ?from, "a request was refused, because another site may have caused it");
        return refused().into_response();
    }
    next.run(request).await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    OurPages,
    Elsewhere,
    /// Neither header: no browser of the last years.
    Nowhere,
}

fn origin(headers: &HeaderMap, public_url: &Url) -> From {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if matches!(text(SEC_FETCH_SITE), Some("same-origin" | "none")) {
        return From::OurPages;
    }
    match text(header::ORIGIN) {
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            let here = host.is_some() && host == text(header::HOST);
            let public = public_url.origin().ascii_serialization() == origin;
            if here || public { From::OurPages } else { From::Elsewhere }
        }
        None if headers.contains_key(SEC_FETCH_SITE) => From::Elsewhere,
        None => From::Nowhere,
    }
}

fn refused() -> Problem {
    let detail = "This request does not come from a page of Linewatch. Open the page again and repeat it. If it stays, \
         LINEWATCH_PUBLIC_URL may not be the address in your browser.";
    Problem::new(StatusCode::FORBIDDEN, "cross_site", "Not from here", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_are_here() {
        let public = Url::parse("https://linewatch.example.com").unwrap();
        for (site, from, expected) in [
            (Some("same-origin"), None, From::OurPages),
            (Some("none"), None, From::OurPages),
            (Some("same-site"), None, From::Elsewhere),
            (Some("cross-site"), Some("https://evil.example"), From::Elsewhere),
            (None, Some("https://linewatch.example.com"), From::OurPages),
            (None, Some("http://127.0.0.1:3000"), From::OurPages),
            (None, Some("http://127.0.0.1:3001"), From::Elsewhere),
            (None, Some("null"), From::Elsewhere),
            (None, Some("http://linewatch.example.com"), From::Elsewhere),
            (None, Some("https://linewatch.example.com.evil.example"), From::Elsewhere),
            (None, None, From::Nowhere),
        ] {
            let mut headers = HeaderMap::from_iter([(header::HOST, "127.0.0.1:3000".parse().unwrap())]);
            site.map(|site| headers.insert(SEC_FETCH_SITE, site.parse().unwrap()));
            from.map(|from| headers.insert(header::ORIGIN, from.parse().unwrap()));
            assert_eq!(origin(&headers, &public), expected, "{site:?} {from:?}");
        }
    }
}
