//! Connections: the list, and one's end.

use super::paging::{Page, Pages};
use super::words;
use crate::auth::{Caller, no_connection};
use crate::clock::{self, Moment};
use crate::connection::{Notes, Seen, Stage};
use crate::error::ApiError;
use crate::shared::Shared;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A connection on the wire.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    key: String,
    name: String,
    email: String,
    status: &'static str,
    /// The platform's slug, as `provider` elsewhere.
    integration_name: &'static str,
    redirect: String,
    /// What it syncs, with spaces between.
    scopes: String,
    /// Not in the metadata of a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<&'static str>>,
    user_metadata: Notes,
    client_id: String,
    #[serde(serialize_with = "clock::write")]
    updated_at: Moment,
    #[serde(serialize_with = "clock::write")]
    created_at: Moment,
    #[serde(serialize_with = "clock::write_option")]
    connected_at: Option<Moment>,
}

impl Listed {
    /// A connection as the account sees it.
    pub(crate) fn new(seen: &Seen, client_id: &str) -> Self {
        /// Between the invitation and the customer's signing in.
        const SIGN_IN: Duration = Duration::from_secs(4 * 60);
        let Seen { profile, life, .. } = seen;
        let connected = life.reconnected_at.unwrap_or(profile.created_at + SIGN_IN);
        Self {
            key: profile.id.clone(),
            name: profile.name.clone(),
            email: profile.email.clone(),
            status: words::status(life),
            integration_name: profile.platform.slug,
            redirect: super::account::REDIRECT.to_owned(),
            scopes: profile.platform.entities().join(" "),
            tags: Some(profile.sandbox.then_some("sandbox").into_iter().collect()),
            user_metadata: seen.metadata(),
            client_id: client_id.to_owned(),
            updated_at: life.updated_at,
            created_at: profile.created_at,
            connected_at: (life.stage != Stage::Pending).then_some(connected),
        }
    }

    /// The same without what only the list has.
    pub(crate) fn without_tags(self) -> Self {
        Self { tags: None, ..self }
    }
}

/// `GET /api/system/connections`
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    pages: Pages,
) -> Result<Json<Page<Listed>>, ApiError> {
    caller.admin()?;
    let (seen, total, client_id) = shared.read(|world| {
        let page = world.alive_from(0).skip(pages.before()).take(pages.size());
        let seen: Vec<_> = page.map(|at| world.seen(at)).collect();
        (seen, world.alive, world.options.client_id.clone())
    });
    Ok(Json(pages.write(seen.iter().map(|seen| Listed::new(seen, &client_id)).collect(), total)))
}

/// `DELETE /api/system/connections/{id}`
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.admin()?;
    shared.change(|world, now| {
        let at = world.find(&key).ok_or_else(|| no_connection(&key))?;
        world.delete(at, now);
        Ok(Json(json!({})))
    })
}
