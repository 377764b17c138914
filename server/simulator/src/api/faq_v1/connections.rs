//! Connections: the list, one of them, its status, its end.

use super::paging::{self, Paging};
use crate::auth::{Caller, no_connection};
use crate::clock::{self, Moment};
use crate::connection::{Notes, Seen};
use crate::error::ApiError;
use crate::shared::Shared;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// A connection on the wire.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    name: &'a str,
    email: &'a str,
    status: &'static str,
    reauthorization_required: bool,
    system: System,
    metadata: Notes,
    sandbox: bool,
    #[serde(serialize_with = "clock::write_option")]
    last_successful_sync_at: Option<Moment>,
    #[serde(serialize_with = "clock::write")]
    updated_at: Moment,
}

#[derive(Serialize)]
struct System {
    slug: &'static str,
    name: &'static str,
}

impl<'a> From<&'a Seen> for Listed<'a> {
    fn from(seen: &'a Seen) -> Self {
        let Seen { profile, life, .. } = seen;
        Self {
            id: &profile.id,
            name: &profile.name,
            email: &profile.email,
            status: life.status(),
            reauthorization_required: life.reauthorization_required,
            system: System { slug: profile.platform.slug, name: profile.platform.name },
            metadata: seen.metadata(),
            sandbox: profile.sandbox,
            last_successful_sync_at: life.last_good,
            updated_at: life.updated_at,
        }
    }
}

/// `GET /api/v1/connections`
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Page<'a> {
        data: Vec<Listed<'a>>,
        next_cursor: Option<String>,
        total: usize,
    }
    caller.admin()?;
    let Query(paging) = paging.map_err(|error| ApiError::invalid(error.body_text()))?;
    let (limit, after) = (paging.limit()?, paging.after()?);
    let first = after.map_or(0, |after| usize::try_from(after).map_or(usize::MAX, |after| after.saturating_add(1)));
    let (seen, next_cursor, total) = shared.read(|world| {
        let mut alive = world.alive_from(first);
        let page: Vec<usize> = alive.by_ref().take(limit).collect();
        let more = alive.next().is_some();
        let next_cursor = page.last().filter(|_| more).map(|&last| paging::write(last as u64));
        (page.into_iter().map(|at| world.seen(at)).collect::<Vec<_>>(), next_cursor, world.alive)
    });
    Ok(Json(Page { data: seen.iter().map(Listed::from).collect(), next_cursor, total }).into_response())
}

/// `GET /api/v1/connections/{id}`
pub(crate) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct One<'a> {
        data: Listed<'a>,
    }
    let seen = shared.read(|world| caller.connection(world, &key).map(|at| world.seen(at)))?;
    Ok(Json(One { data: Listed::from(&seen) }).into_response())
}

/// `GET /api/v1/connections/{id}/status`
pub(crate) async fn status(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let Seen { profile, life, .. } = shared.read(|world| caller.connection(world, &key).map(|at| world.seen(at)))?;
    let error = life.failure().map(|failure| {
        json!({ "code": failure.code(), "type": failure.kind(), "message": failure.message(profile.platform) })
    });
    Ok(Json(json!({
        "id": profile.id,
        "status": life.status(),
        "reauthorization_required": life.reauthorization_required,
        "updated_at": clock::stamp(life.updated_at),
        "error": error,
    })))
}

/// `DELETE /api/system/connections/{id}`
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.admin()?;
    shared.change(|world, now| {
        let at = world.find(&key).ok_or_else(|| no_connection(&key))?;
        world.delete(at, now);
        Ok(StatusCode::NO_CONTENT)
    })
}
