//! Syncs: how the last one went, and starting one by hand.

use crate::auth::Caller;
use crate::clock;
use crate::connection::{Failure, Seen, SyncKind};
use crate::error::ApiError;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Simulated length of a sync of everything.
const FULL: Duration = Duration::from_secs(12 * 60);

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
        let connection = &world.connections[at];
        let (life, platform) = (&connection.life, connection.profile.platform);
        if !life.connected() {
            return Err(ApiError::invalid(format!("a connection that is {} does not sync", life.status())));
        }
        if life.reauthorization_required {
            let failure = Failure::Credentials;
            let message = failure.message(platform);
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, failure.code(), failure.kind(), message));
        }
        if life.offline() {
            let failure = Failure::Unreachable;
            let message = failure.message(platform);
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, failure.code(), failure.kind(), message));
        }
        if life.running.is_some() {
            return Err(ApiError::conflict("SYNC_IN_PROGRESS", "a sync of this connection is running already"));
        }
        let length = match kind {
            SyncKind::Incremental => Duration::from_millis(life.next_length_ms.into()),
            SyncKind::Full => world.scale().real(FULL),
        };
        world.start_sync(at, now, kind, length);
        Ok((StatusCode::ACCEPTED, Json(json!({ "type": kind, "status": "in_progress" }))))
    })
}
