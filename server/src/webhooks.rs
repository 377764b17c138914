//! `POST /webhooks/{source}`: the door for Makini. Bytes and headers in, a status out; what they mean is for later.

use crate::api::problem::Problem;
use crate::wiring::Parts;
use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Path, State, rejection::PathRejection};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_LENGTH};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use engine::webhook::{Accepted, Refused};
use http_body_util::BodyExt as _;
use serde::Serialize;

/// What a webhook is answered with once it is durable.
#[derive(Serialize)]
struct Receipt {
    id: model::EventId,
    duplicate: bool,
}

/// Takes one webhook. The answer is 200 only after a durable commit.
pub async fn handle(
    State(parts): State<Parts>,
    source: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(Path(source)) = source else { return crate::api::problem::no_such_address().await.into_response() };
    let most = parts.door.body_limit();
    let answer = match tokio::time::timeout(parts.body_patience, read(&headers, body, most)).await {
        Ok(Read::Whole(bytes)) => parts.door.accept(&source, &headers, bytes).await,
        Ok(Read::TooLarge) => Err(parts.door.too_large(&source, &headers).await),
        Ok(Read::Broken) => return Problem::about(StatusCode::BAD_REQUEST, "The body broke off.").into_response(),
        Err(_) => {
            return Problem::about(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive.").into_response();
        }
    };
    match answer {
        Ok(Accepted { id, duplicate }) => Json(Receipt { id, duplicate }).into_response(),
        Err(refused) => turned_away(&refused).into_response(),
    }
}

fn turned_away(refused: &Refused) -> Problem {
    let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let seconds = refused.retry_after.map_or(0, |wait| wait.as_secs().max(1));
    Problem::new(status, refused.reason.code(), refused.reason.words(), refused.detail.clone()).retry_after(seconds)
}

enum Read {
    Whole(Bytes),
    TooLarge,
    Broken,
}

/// Reads a body of at most so many bytes. A larger one is read on for a while and thrown away: who is cut off in the middle
/// of sending often does not read the answer that says why.
async fn read(headers: &HeaderMap, mut body: Body, most: usize) -> Read {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0_usize);
    let mut bytes = BytesMut::with_capacity(announced.min(most));
    let (mut length, mut too_large) = (0, false);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Read::Broken };
        let Ok(chunk) = frame.into_data() else { continue };
        length += chunk.len();
        too_large |= length > most;
        if too_large {
            bytes.clear();
            if length > most.saturating_mul(8) {
                break;
            }
        } else if bytes.is_empty() && body.is_end_stream() {
            return Read::Whole(chunk);
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    if too_large { Read::TooLarge } else { Read::Whole(bytes.freeze()) }
}
