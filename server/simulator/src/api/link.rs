//! `POST /link/token`: a pair of tokens for the account, or for the connection that Makini Link gave a code for.

use crate::error::ApiError;
use crate::shared::Shared;
use crate::tokens::expires_in;
use axum::Json;
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked for, and by whom.
#[derive(Debug, Deserialize)]
pub(crate) struct Grant {
    grant_type: String,
    client_id: String,
    client_secret: String,
    refresh_token: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
}

/// Gives out a pair for the client's credentials, for the refresh token of a pair that then is dead, or for a code.
pub(crate) async fn grant(State(shared): State<Shared>, request: Request) -> Result<Json<Value>, ApiError> {
    let ask = read(request).await?;
    let pair = shared.change(|world, now| {
        if ask.client_id != world.options.client_id || ask.client_secret != world.options.client_secret {
            return Err(ApiError::unauthenticated("client_id or client_secret is wrong"));
        }
        let scale = world.scale();
        let pair = match (ask.grant_type.as_str(), &ask.refresh_token) {
            ("client_credentials", _) => world.tokens.grant(scale, now),
            ("refresh_token", Some(refresh)) => world
                .tokens
                .refresh(refresh, scale, now)
                .ok_or_else(|| ApiError::unauthenticated("the refresh token is wrong, expired or used"))?,
            ("refresh_token", None) => return Err(ApiError::invalid("refresh_token is missing")),
            ("authorization_code", _) => {
                let code = ask.code.as_deref().ok_or_else(|| ApiError::invalid("code is missing"))?;
                let at = world.codes.take(code, ask.redirect_uri.as_deref(), now).ok_or_else(|| {
                    ApiError::unauthenticated("the code is wrong, expired, used or for another address")
                })?;
                world.tokens.grant_connection(at, scale, now)
            }
            _ => {
                return Err(ApiError::invalid("grant_type is client_credentials, refresh_token or authorization_code"));
            }
        };
        world.counters.token_pairs += 1;
        Ok(pair)
    })?;
    Ok(Json(json!({
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "bearer",
        "expires_in": expires_in(&pair),
    })))
}

async fn read(request: Request) -> Result<Grant, ApiError> {
    let json = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    let grant = if json {
        Json::from_request(request, &()).await.map(|Json(grant)| grant).map_err(|error| error.body_text())
    } else {
        Form::from_request(request, &()).await.map(|Form(grant)| grant).map_err(|error| error.body_text())
    };
    grant.map_err(ApiError::invalid)
}
