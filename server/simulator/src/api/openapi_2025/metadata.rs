//! What the client has noted of a connection. Oddly, but so it is documented, reading it answers with a list of the whole
//! connection.

use super::connections::Listed;
use super::paging::{Page, Pages};
use crate::auth::{Caller, no_connection};
use crate::connection::{Notes, Seen};
use crate::error::ApiError;
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// More notes than these nobody has of one connection.
const MOST: usize = 100;

/// `GET /api/system/connections/{id}/metadata`
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
    pages: Pages,
) -> Result<Json<Page<Listed>>, ApiError> {
    caller.admin()?;
    let (seen, client_id) = shared.read(|world| {
        let at = world.find(&key).ok_or_else(|| no_connection(&key))?;
        Ok::<_, ApiError>((world.seen(at), world.options.client_id.clone()))
    })?;
    let one = (pages.before() == 0).then(|| show(&seen, &client_id));
    Ok(Json(pages.write(one.into_iter().collect(), 1)))
}

/// `POST /api/system/connections/{id}/metadata`: adds notes, replaces those of the same key, and takes back what is null.
pub(crate) async fn add(
    State(shared): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    #[derive(Deserialize)]
    struct Note {
        key: String,
        value: Value,
    }
    caller.admin()?;
    let notes: Vec<Note> = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid(format!("the body takes a list of key and value: {error}")))?;
    if notes.iter().any(|note| note.key.is_empty() || note.value.is_object() || note.value.is_array()) {
        return Err(ApiError::invalid("a note has a key, and a value that is a text, a number, true, false or null"));
    }
    let (seen, client_id) = shared.change(|world, now| {
        let at = world.find(&key).ok_or_else(|| no_connection(&key))?;
        let connection = &mut world.connections[at];
        let mut all: Notes = connection.notes.as_ref().clone();
        all.extend(notes.into_iter().map(|note| (note.key, note.value)));
        if all.len() > MOST {
            return Err(ApiError::invalid(format!("a connection has at most {MOST} notes")));
        }
        connection.notes = Arc::new(all);
        connection.life.updated_at = now;
        Ok((world.seen(at), world.options.client_id.clone()))
    })?;
    Ok(Json(json!({ "data": show(&seen, &client_id) })))
}

fn show(seen: &Seen, client_id: &str) -> Listed {
    Listed::new(seen, client_id).without_tags()
}
