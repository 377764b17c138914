//! `POST /api/system/connections/{id}/token`: a token for one connection.

use crate::auth::{Caller, no_connection};
use crate::error::ApiError;
use crate::shared::Shared;
use crate::tokens::CONNECTION_TOKEN_SECONDS;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

/// Issues a token; the connection's token before this one is dead at once.
pub(crate) async fn issue(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.admin()?;
    let token = shared.change(|world, now| {
        let at = world.find(&key).ok_or_else(|| no_connection(&key))?;
        world.counters.connection_tokens += 1;
        Ok::<_, ApiError>(world.tokens.issue(at, now))
    })?;
    Ok(Json(json!({ "token": token, "expires_in": CONNECTION_TOKEN_SECONDS })))
}
