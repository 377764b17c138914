//! A new connection.

use crate::added::Wanted;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::platforms;
use crate::shared::Shared;
use crate::tokens::expires_in;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// `POST /api/system/connections`: a connection whose customer has signed in already, with its first pair of tokens.
pub(crate) async fn add(State(shared): State<Shared>, caller: Caller, body: Bytes) -> Result<Json<Value>, ApiError> {
    #[derive(Deserialize)]
    struct Ask {
        name: String,
        email: String,
        provider: String,
        credentials: Map<String, Value>,
    }
    caller.admin()?;
    let ask: Ask = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid(format!("the body takes name, email, provider and credentials: {error}")))?;
    if ask.name.trim().is_empty() {
        return Err(ApiError::invalid("name is empty"));
    }
    if !ask.email.trim().split_once('@').is_some_and(|(mailbox, host)| !mailbox.is_empty() && !host.is_empty()) {
        return Err(ApiError::invalid("email takes an e-mail address"));
    }
    let platform = platforms::find(&ask.provider.to_lowercase())
        .ok_or_else(|| ApiError::invalid(format!("there is no provider {}", ask.provider)))?;
    if let Some((name, _)) = ask.credentials.iter().find(|(_, value)| value.as_str().is_none_or(str::is_empty)) {
        return Err(ApiError::invalid(format!("credentials.{name} is empty")));
    }
    if ask.credentials.is_empty() {
        return Err(ApiError::invalid("credentials is empty"));
    }
    let pair = shared.change(|world, now| {
        let wanted = Wanted { name: ask.name, email: ask.email, platform };
        let at = world.add(wanted, now).ok_or_else(|| ApiError::invalid("there are too many connections"))?;
        world.counters.connection_tokens += 1;
        let scale = world.scale();
        Ok::<_, ApiError>(world.tokens.grant_connection(at, scale, now))
    })?;
    Ok(Json(json!({
        "data": {
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "expires_in": expires_in(&pair),
        }
    })))
}
