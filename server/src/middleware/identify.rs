//! Who asks: looks once at what a request shows, and puts the answer beside it. Refusing is for the doors.

use crate::api::problem::Problem;
use crate::auth::{Identity, Via, cookie};
use crate::wiring::Parts;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header::AUTHORIZATION};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use engine::vault::Secret;

/// The layer.
pub async fn layer(State(parts): State<Parts>, mut request: Request, next: Next) -> Response {
    match identity(&parts, request.headers()).await {
        Ok(Some(identity)) => {
            request.extensions_mut().insert(identity);
        }
        Ok(None) => {}
        Err(error) => return Problem::from(error).into_response(),
    }
    next.run(request).await
}

/// A token that is shown counts, even when it is wrong: no cookie stands in for it.
async fn identity(parts: &Parts, headers: &HeaderMap) -> Result<Option<Identity>, engine::people::Error> {
    if let Some(shown) = headers.get(AUTHORIZATION) {
        let Some(token) = shown.to_str().ok().and_then(bearer) else { return Ok(None) };
        let actor = parts.people.bearer(token).await?;
        return Ok(actor.map(|actor| Identity { actor, via: Via::Bearer(Secret::from(token)) }));
    }
    let Some(session) = cookie::read(headers) else { return Ok(None) };
    let actor = parts.people.session(session).await?;
    Ok(actor.map(|actor| Identity { actor, via: Via::Session(Secret::from(session)) }))
}

fn bearer(shown: &str) -> Option<&str> {
    let (scheme, token) = shown.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty() && token.len() <= 1_000)
}
