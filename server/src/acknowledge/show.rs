//! `GET /a/{token}`: the page behind a link. Changes nothing.

use super::page;
use crate::auth::Identity;
use crate::reconnect::page::Page;
use crate::wiring::Parts;
use axum::extract::{Path, State};

/// What it is about, and the button. Who is not signed in never comes here.
pub async fn handle(State(parts): State<Parts>, _: Identity, Path(token): Path<String>) -> Page {
    match parts.links.look(&token).await {
        Ok(link) => page::ready(&link),
        Err(error) => page::refused(&error),
    }
}
