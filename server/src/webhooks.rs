//! `POST /webhooks/{source}`: the door for Makini. Bytes and headers in, a status out; what they mean is for later.

mod read;

use crate::api::problem::Problem;
use crate::wiring::Parts;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State, rejection::PathRejection};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::webhook::{Accepted, NotRead, Refused};
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
    mut body: Body,
) -> Response {
    let Ok(Path(source)) = source else { return crate::api::problem::no_such_address().await.into_response() };
    match take(&parts, &source, &headers, &mut body).await {
        Ok(Accepted { id, duplicate }) => Json(Receipt { id, duplicate }).into_response(),
        Err(refused) => turned_away(&refused).into_response(),
    }
}

async fn take(parts: &Parts, source: &str, headers: &HeaderMap, body: &mut Body) -> Result<Accepted, Refused> {
    let (door, most, patience) = (&parts.door, parts.door.body_limit(), parts.body_patience);
    let (refused, ended) = match door.admit(source, headers).await {
        Ok(admitted) => match read::whole(headers, body, admitted, most, patience).await {
            Ok((admitted, bytes)) => return door.take(admitted, headers, bytes).await,
            Err(why) => {
                (door.not_read(source, headers, why).await, matches!(why, NotRead::TooSlow | NotRead::BrokeOff))
            }
        },
        Err(refused) => (refused, false),
    };
    if !ended {
        read::away(headers, body, most, patience).await;
    }
    Err(refused)
}

fn turned_away(refused: &Refused) -> Problem {
    let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let seconds = refused.retry_after.map_or(0, |wait| wait.as_secs().max(1));
    Problem::new(status, refused.reason.code(), refused.reason.words(), refused.detail.clone()).retry_after(seconds)
}
