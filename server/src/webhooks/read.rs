//! Reads a body into counted room, or throws it away.

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use bytes::Bytes;
use engine::webhook::{Admitted, NotRead};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::time::timeout;

/// Who sends nothing for so long is not in the middle of sending.
const QUIET: Duration = Duration::from_millis(300);

/// Reads a body of at most so many bytes. Room is taken as they arrive, not as they are announced: announcing is free.
pub async fn whole(
    headers: &HeaderMap,
    body: &mut Body,
    mut admitted: Admitted,
    most: usize,
    patience: Duration,
) -> Result<(Admitted, Bytes), NotRead> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(NotRead::TooLarge);
    }
    match timeout(patience, gather(body, &mut admitted, most)).await {
        Ok(read) => read.map(|bytes| (admitted, bytes)),
        Err(_) => Err(NotRead::TooSlow),
    }
}

async fn gather(body: &mut Body, admitted: &mut Admitted, most: usize) -> Result<Bytes, NotRead> {
    let mut bytes = Vec::<u8>::new();
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(|_| NotRead::BrokeOff)?.into_data() else { continue };
        let length = bytes.len() + chunk.len();
        if length > most {
            return Err(NotRead::TooLarge);
        }
        // most webhooks come in one piece and are not copied
        let in_one_piece = bytes.is_empty() && body.is_end_stream();
        let room = if in_one_piece { length } else { length.max(2 * bytes.capacity()).min(most) };
        if length > bytes.capacity() && !admitted.hold(room - bytes.capacity()) {
            return Err(NotRead::NoRoom);
        }
        if in_one_piece {
            return Ok(chunk);
        }
        if length > bytes.capacity() {
            bytes.reserve_exact(room - bytes.len());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// Reads on for a while and keeps nothing: who is cut off in the middle of sending often does not read the answer that says
/// why. Who waits to be asked for the body is not asked.
pub async fn away(headers: &HeaderMap, body: &mut Body, most: usize, patience: Duration) {
    if headers.contains_key(EXPECT) {
        return;
    }
    let mut left = most.saturating_mul(8);
    let all = async {
        while let Ok(Some(Ok(frame))) = timeout(QUIET, body.frame()).await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            if length > left {
                break;
            }
            left -= length;
        }
    };
    // out of patience or not: it was for politeness only
    let _ = timeout(patience, all).await;
}
