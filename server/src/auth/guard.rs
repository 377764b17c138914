//! What happens to who is not signed in: a machine is told, a person is shown the way.

use super::{Identity, next};
use crate::api::problem::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use model::Refusal;

/// For what machines ask: 401.
pub async fn machines(request: Request, next: Next) -> Response {
    if request.extensions().get::<Identity>().is_none() {
        return Problem::from(Refusal::Unauthenticated).into_response();
    }
    next.run(request).await
}

/// For pages: on to the sign-in page, and back later. Server functions are told when a script asks, and shown the way when
/// a form does. Who is signed in has no need of the sign-in page.
pub async fn people(request: Request, next: Next) -> Response {
    let signed_in = request.extensions().get::<Identity>().is_some();
    let (path, at_login) = (request.uri().path(), request.uri().path() == "/login");
    if signed_in && at_login && matches!(*request.method(), Method::GET | Method::HEAD) {
        return Redirect::to("/").into_response();
    }
    let call = path.starts_with("/_app/");
    if signed_in || at_login || (!call && !request.method().is_safe()) {
        // Nothing but server functions and the ends of a session takes other methods: the router says so.
        return next.run(request).await;
    }
    if !call {
        return Redirect::to(&next::login_for(request.uri())).into_response();
    }
    if accepts_html(request.headers()) {
        return Redirect::to(&next::login_with(&page_of(request.headers()))).into_response();
    }
    Problem::from(Refusal::Unauthenticated).for_calls().into_response()
}

/// Whether a person looks at the answer.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// The page that a form was on.
fn page_of(headers: &HeaderMap) -> String {
    let referrer = headers.get(header::REFERER).and_then(|page| page.to_str().ok()?.parse::<Uri>().ok());
    let path = referrer.as_ref().and_then(|page| page.path_and_query()).map_or("/", |it| it.as_str());
    next::local(path).to_owned()
}
