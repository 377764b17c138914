//! The customer's side of signing in again, `/r/…`: pages of our own for people who have no session and know nothing of
//! Linewatch. Plain HTML, without scripts; what they may see and do, `engine::reconnect` decides.
//!
//! Looking changes nothing, so that whoever checks links in mails does nothing: only the button opens. The token in the address is the
//! capability; there is no cookie, so no other site can borrow one.

pub mod callback;
pub mod open;
pub mod page;
pub mod show;

use crate::wiring::Parts;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

/// The routes.
pub fn routes() -> Router<Parts> {
    Router::new()
        .route("/r/callback", get(callback::handle))
        .route("/r/{token}", get(show::handle).merge(post(open::handle)))
        .layer(DefaultBodyLimit::max(1 << 10))
}
