//! `GET /r/{token}`: the page behind a link. Changes nothing.

use super::page::{self, Page};
use crate::wiring::Parts;
use axum::extract::{Path, State};

/// What it is about, and the button.
pub async fn handle(State(parts): State<Parts>, Path(token): Path<String>) -> Page {
    match parts.reconnect.look(&token).await {
        Ok(Some(shown)) if shown.good => page::ready(&shown),
        Ok(Some(shown)) => page::over(&shown),
        Ok(None) => page::unknown(),
        Err(error) => page::failed(&error),
    }
}
