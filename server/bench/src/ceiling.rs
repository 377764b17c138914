//! What the webhook door is measured against: the same door without database. HMAC over the bytes, JSON checked and its
//! outermost fields found, an id answered. A process of its own, as Linewatch is.

use crate::Failure;
use crate::webhook::{SIGNATURE, keyed};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The fields that the real door looks for, borrowed from the bytes.
#[derive(Deserialize)]
struct Envelope<'a> {
    id: &'a str,
    #[serde(borrow)]
    timestamp: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Serves until it is killed.
pub async fn run(listen: SocketAddr) -> Result<(), Failure> {
    let router = Router::new().route("/webhooks/{source}", post(take)).with_state(keyed());
    let listener = TcpListener::bind(listen).await?.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

async fn take(State(keyed): State<Hmac<Sha256>>, headers: HeaderMap, body: Bytes) -> Response {
    let signature = headers.get(SIGNATURE).and_then(|text| STANDARD.decode(text.as_bytes()).ok()).unwrap_or_default();
    if keyed.chain_update(&body).verify_slice(&signature).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match serde_json::from_slice::<Envelope<'_>>(&body) {
        Ok(Envelope { id, timestamp, data }) if !timestamp.is_empty() && !data.get().is_empty() => {
            let answer = format!(r#"{{"id":"{id}","duplicate":false}}"#);
            ([(CONTENT_TYPE, "application/json")], answer).into_response()
        }
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}
