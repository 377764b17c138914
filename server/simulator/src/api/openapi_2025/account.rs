//! The account itself: who it is, and which platforms it may connect.

use super::paging::{Page, Pages};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::platforms::PLATFORMS;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Builder;

/// Where a customer goes after the sign-in.
pub(crate) const REDIRECT: &str = "https://app.example/connected";

/// `GET /api/system/client`
pub(crate) async fn client(State(shared): State<Shared>, caller: Caller) -> Result<Json<Value>, ApiError> {
    caller.admin()?;
    let seed = shared.read(|world| world.options.seed);
    let id = Builder::from_random_bytes(u128::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060).to_be_bytes());
    Ok(Json(json!({
        "data": {
            "id": id.into_uuid(),
            "name": "Linewatch demo",
            "logo_url": "https://app.example/logo.svg",
            "email": "integrations@app.example",
            "default_redirect": REDIRECT,
            "redirects": [REDIRECT, "http://127.0.0.1:3000/r/callback"],
        }
    })))
}

/// A platform on the wire.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    slug: &'static str,
    name: &'static str,
    description: String,
    logo: String,
}

/// `GET /api/system/platforms`
pub(crate) async fn platforms(
    State(_): State<Shared>,
    caller: Caller,
    pages: Pages,
) -> Result<Json<Page<Listed>>, ApiError> {
    caller.admin()?;
    let page = PLATFORMS.iter().skip(pages.before()).take(pages.size()).map(|platform| Listed {
        slug: platform.slug,
        name: platform.name,
        description: format!("{}, {}", platform.name, platform.kind.words()),
        logo: format!("https://app.example/logos/{}.svg", platform.slug),
    });
    Ok(Json(pages.write(page.collect(), PLATFORMS.len())))
}
