//! Links in messages about alerts, `/a/…`: a small page each, with the one button. Looking changes nothing, so that whoever checks
//! links in mails does nothing; who is not signed in does so first, and lands here again.

pub mod act;
pub mod page;
pub mod show;

use crate::wiring::Parts;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

/// The routes.
pub fn routes() -> Router<Parts> {
    Router::new().route("/a/{token}", get(show::handle).post(act::handle)).layer(DefaultBodyLimit::max(1 << 10))
}
