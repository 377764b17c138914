//! The connection whose token it is: its state, its syncs, its end.

use super::words;
use crate::api::gate;
use crate::auth::Caller;
use crate::clock;
use crate::connection::{Seen, SyncKind};
use crate::error::ApiError;
use crate::options::Spelling;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

/// `GET /api/integrations/current`
pub(crate) async fn show(State(shared): State<Shared>, caller: Caller) -> Result<Json<Value>, ApiError> {
    let (seen, spelling) = look(&shared, caller)?;
    let Seen { profile, life, .. } = &seen;
    Ok(Json(json!({
        "data": {
            "id": profile.id,
            "company_name": profile.owner.as_ref().map_or(&profile.name, |owner| &owner.name),
            "email": profile.email,
            "provider": profile.platform.slug,
            "updated_at": clock::stamp(life.updated_at),
            "sync_status": words::sync_status(profile, life, spelling),
            "sync_updated_at": words::sync_updated_at(life).map(clock::stamp),
        }
    })))
}

/// `DELETE /api/integrations/current`
pub(crate) async fn delete(State(shared): State<Shared>, caller: Caller) -> Result<Json<Value>, ApiError> {
    shared.change(|world, now| {
        let at = caller.own(world)?;
        world.delete(at, now);
        Ok(Json(json!({})))
    })
}

/// `GET /api/integrations/sync/status`: bare, as Makini's sample application reads it.
pub(crate) async fn sync_status(State(shared): State<Shared>, caller: Caller) -> Result<Json<Value>, ApiError> {
    let (seen, spelling) = look(&shared, caller)?;
    Ok(Json(json!({ "status": words::sync_status(&seen.profile, &seen.life, spelling) })))
}

/// `POST /api/integrations/sync`
pub(crate) async fn sync(State(shared): State<Shared>, caller: Caller, body: Bytes) -> Result<Json<Value>, ApiError> {
    #[derive(Deserialize)]
    struct Ask {
        r#type: SyncKind,
        // Whatever they are: one sync carries everything here.
        #[serde(rename = "action")]
        _action: Option<String>,
        #[serde(rename = "scopes")]
        _scopes: Option<Vec<String>>,
    }
    let kind = if body.is_empty() {
        SyncKind::Incremental
    } else {
        let ask: Result<Ask, _> = serde_json::from_slice(&body);
        ask.map_err(|error| {
            ApiError::invalid(format!("the body takes a type, incremental or full, an action and scopes: {error}"))
        })?
        .r#type
    };
    shared.change(|world, now| {
        let at = caller.own(world)?;
        gate::start_sync(world, at, kind, now)?;
        let (seen, spelling) = (world.seen(at), world.options.sync_status_spelling);
        Ok(Json(json!({ "status": words::sync_status(&seen.profile, &seen.life, spelling) })))
    })
}

fn look(shared: &Shared, caller: Caller) -> Result<(Seen, Spelling), ApiError> {
    shared.read(|world| Ok((world.seen(caller.own(world)?), world.options.sync_status_spelling)))
}
