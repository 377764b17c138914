//! The unified API: one record, and writing. Lists are for each dialect to say in its own way. All of it takes the token of the
//! connection that it is about.

mod batch;
mod write;

pub(crate) use batch::{create, update_many};
pub(crate) use write::{delete, status, update};

use crate::api::gate;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::records::{Entity, Record, Shelf};
use crate::shared::Shared;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use uuid::Uuid;

/// The records that a list is made of, if the connection's platform can be asked.
pub(crate) fn open(shared: &Shared, caller: Caller, entity: &str) -> Result<(Entity, Shelf), ApiError> {
    let entity = find(entity)?;
    let shelf = shared.read(|world| {
        let at = caller.own(world)?;
        gate::open(world, at)?;
        Ok::<_, ApiError>(world.shelf(at, entity))
    })?;
    Ok((entity, shelf))
}

fn find(entity: &str) -> Result<Entity, ApiError> {
    Entity::find(entity).ok_or_else(|| ApiError::not_found("there is nothing at this path"))
}

/// `GET …/{entity}/{key}`
pub(crate) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
    Path((entity, key)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let (entity, shelf) = open(&shared, caller, &entity)?;
    let record = shelf.find(&key).ok_or_else(|| ApiError::not_found(format!("there is no {} {key}", entity.one())))?;
    Ok(Json(json!({ "data": record })))
}

fn ids<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Uuid> {
    records.into_iter().filter_map(|record| record.get("id")?.as_str()?.parse().ok()).collect()
}

fn object(value: Value) -> Result<Record, ApiError> {
    match value {
        Value::Object(record) => Ok(record),
        _ => Err(ApiError::invalid("a record is an object")),
    }
}

fn parse(body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::invalid(format!("the body is not JSON: {error}")))
}
