//! Writing one record.

use super::{find, ids, object, parse};
use crate::api::gate;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::records::{Entity, Write};
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

/// `PUT …/{entity}/{key}`
pub(crate) async fn update(
    State(shared): State<Shared>,
    caller: Caller,
    Path((entity, key)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let (entity, fields) = (find(&entity)?, object(parse(&body)?)?);
    Ok(Json(one(&shared, caller, entity, Write::Update { key, fields })?))
}

/// `PUT …/{entity}/{key}/status`: an order goes on.
pub(crate) async fn status(
    State(shared): State<Shared>,
    caller: Caller,
    Path((entity, key)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let entity = find(&entity)?;
    if !entity.is_order() {
        return Err(ApiError::not_found("there is nothing at this path"));
    }
    let body = object(parse(&body)?)?;
    let status = body.get("statusKey").filter(|status| status.is_string());
    let status = status.ok_or_else(|| ApiError::invalid("the body takes a statusKey"))?;
    let fields = Map::from_iter([("status".to_owned(), status.clone())]);
    Ok(Json(one(&shared, caller, entity, Write::Update { key, fields })?))
}

/// `DELETE …/{entity}/{key}`: the record stays, and says since when it is deleted.
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path((entity, key)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let entity = find(&entity)?;
    Ok(Json(one(&shared, caller, entity, Write::Delete { key })?))
}

pub(super) fn one(shared: &Shared, caller: Caller, entity: Entity, write: Write) -> Result<Value, ApiError> {
    let verb = write.verb();
    shared.change(|world, now| {
        let at = caller.own(world)?;
        gate::open(world, at)?;
        let record = world.write(at, entity, write, now)?;
        world.tell_written(at, entity, verb, &ids([&record]), now);
        Ok(json!({ "data": record }))
    })
}
