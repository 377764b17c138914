//! `POST /r/{token}`: the button. On to Makini Link, for the first time or again. Nothing in the body counts.

use super::page;
use crate::wiring::Parts;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use engine::reconnect::Opened;

/// On to Makini Link.
pub async fn handle(State(parts): State<Parts>, Path(token): Path<String>) -> Response {
    match parts.reconnect.open(&token).await {
        Ok(Some(Opened::Go(address))) => {
            let mut on = Redirect::to(&address).into_response();
            // the address that led here is a secret
            on.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            on
        }
        Ok(Some(Opened::Over(shown))) => page::over(&shown).into_response(),
        Ok(None) => page::unknown().into_response(),
        Err(error) => page::failed(&error).into_response(),
    }
}
