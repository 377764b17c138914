//! Syncs: how the last one went, and starting one by hand.

use crate::api::gate;
use crate::auth::Caller;
use crate::clock;
use crate::connection::{Seen, SyncKind};
use crate::error::ApiError;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// `GET /api/v1/connections/{id}/sync-status`
pub(crate) async fn status(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let Seen { profile, life, .. } = shared.read(|world| caller.connection(world, &key).map(|at| world.seen(at)))?;
    let errors: Vec<_> = life
        .sync_failure()
        .map(|failure| json!({ "code": failure.code(), "message": failure.message(profile.platform) }))
        .into_iter()
        .collect();
    Ok(Json(json!({
        "last_successful_sync_at": life.last_good.map(clock::stamp),
        "status": life.sync_status(),
        "errors": errors,
        "next_scheduled_sync_at": life.next_sync.map(clock::stamp),
    })))
}

/// `POST /api/v1/connections/{id}/syncs`
pub(crate) async fn start(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    #[derive(Deserialize)]
    struct Ask {
        r#type: SyncKind,
    }
    let kind = if body.is_empty() {
        SyncKind::Incremental
    } else {
        let ask: Result<Ask, _> = serde_json::from_slice(&body);
        ask.map_err(|error| ApiError::invalid(format!("the body takes a type, incremental or full: {error}")))?.r#type
    };
    shared.change(|world, now| {
        let at = caller.connection(world, &key)?;
        gate::start_sync(world, at, kind, now)?;
        Ok((StatusCode::ACCEPTED, Json(json!({ "type": kind, "status": "in_progress" }))))
    })
}
