//! `POST /logout`: ends the session.

use super::{Identity, Via, cookie};
use crate::api::problem::Problem;
use crate::wiring::Parts;
use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Redirect, Response};

/// Ends the session, if there is one, and shows the sign-in page.
pub async fn handle(State(parts): State<Parts>, who: Option<Extension<Identity>>) -> Result<Response, Problem> {
    if let Some(Extension(Identity { via: Via::Session(cookie), .. })) = who {
        parts.people.sign_out(cookie.expose()).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().extend(cookie::clear(parts.is_https()).map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}
