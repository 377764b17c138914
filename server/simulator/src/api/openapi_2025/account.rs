//! The account itself: who it is, and which platforms it may connect.

use super::paging::{Page, Pages};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::platforms::{PLATFORMS, Platform};
use crate::records::{Entity, Update, support};
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
    capabilities: Vec<Can>,
}

/// What a platform lets others do with one kind of record. No such field is published; ours says in words for machines what
/// Makini's own questions and answers say in prose.
#[derive(Debug, Serialize)]
pub(crate) struct Can {
    entity: &'static str,
    operations: Vec<&'static str>,
    /// By operation, where it has limits.
    limits: BTreeMap<&'static str, String>,
}

fn can(platform: &Platform, entity: Entity) -> Can {
    let support = support(platform, entity);
    let (create, update) = (support.create.is_some(), support.update != Update::No);
    let all = [("read", true), ("create", create), ("update", update), ("delete", support.delete)];
    let mut limits = BTreeMap::new();
    let mut update_limits = Vec::new();
    if let Update::Only(fields) = support.update {
        update_limits.push(format!("only {}", fields.join(", ")));
    }
    if entity.is_order() {
        update_limits.push("not after approval".to_owned());
    }
    if update && !update_limits.is_empty() {
        limits.insert("update", update_limits.join("; "));
    }
    if create && !support.custom_fields {
        limits.insert("create", "not the customer's own fields".to_owned());
    }
    Can {
        entity: entity.event(),
        operations: all.into_iter().filter(|(_, can)| *can).map(|(name, _)| name).collect(),
        limits,
    }
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
        capabilities: Entity::ALL.iter().map(|entity| can(platform, *entity)).collect(),
    });
    Ok(Json(pages.write(page.collect(), PLATFORMS.len())))
}
