//! Writing many records. Each stands for itself: what was written is answered under `data`, what was not is named under
//! `errors`, by its place in the batch and its key.

use super::write::one;
use super::{find, ids, object, parse};
use crate::api::gate;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::records::{Entity, Verb, Write};
use crate::shared::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

/// The most records that are written at a time. Fewer than fifty are as welcome.
const BATCH: usize = 100;

/// `POST …/{entity}`: one record, or up to a hundred in a list.
pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    Path(entity): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let entity = find(&entity)?;
    let answer = match parse(&body)? {
        Value::Array(batch) => {
            let writes = limited(batch)?.into_iter().map(|one| object(one).map(Write::Create));
            many(&shared, caller, entity, Verb::Create, writes.collect())?
        }
        record => one(&shared, caller, entity, Write::Create(object(record)?))?,
    };
    Ok(Json(answer))
}

/// `PUT …/{entity}`: up to a hundred records in a list, each with its key.
pub(crate) async fn update_many(
    State(shared): State<Shared>,
    caller: Caller,
    Path(entity): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let entity = find(&entity)?;
    let Value::Array(batch) = parse(&body)? else {
        return Err(ApiError::invalid("the body takes a list of records, each with its key"));
    };
    let writes = limited(batch)?.into_iter().map(|one| {
        let fields = object(one)?;
        let key = fields.get("key").and_then(Value::as_str).ok_or_else(|| ApiError::invalid("key is missing"))?;
        Ok(Write::Update { key: key.to_owned(), fields })
    });
    Ok(Json(many(&shared, caller, entity, Verb::Update, writes.collect())?))
}

/// Writes one after the other; what cannot be written is named, and stops nothing.
fn many(
    shared: &Shared,
    caller: Caller,
    entity: Entity,
    verb: Verb,
    writes: Vec<Result<Write, ApiError>>,
) -> Result<Value, ApiError> {
    shared.change(|world, now| {
        let at = caller.own(world)?;
        gate::open(world, at)?;
        world.allow(at, entity, verb)?;
        let total = writes.len();
        let (mut written, mut errors) = (Vec::new(), Vec::new());
        for (index, write) in writes.into_iter().enumerate() {
            let key = match &write {
                Ok(Write::Update { key, .. }) => Some(key.clone()),
                _ => None,
            };
            match write.and_then(|write| world.write(at, entity, write, now)) {
                Ok(record) => written.push(record),
                Err(error) => {
                    let mut named = error.part();
                    named["index"] = index.into();
                    named["key"] = key.into();
                    errors.push(named);
                }
            }
        }
        world.tell_written(at, entity, verb, &ids(&written), now);
        let meta = json!({ "total": total, "succeeded": written.len(), "failed": errors.len() });
        Ok(json!({ "data": written, "errors": errors, "meta": meta }))
    })
}

fn limited(batch: Vec<Value>) -> Result<Vec<Value>, ApiError> {
    match batch.len() {
        1..=BATCH => Ok(batch),
        0 => Err(ApiError::invalid("the list is empty")),
        count => Err(ApiError::refused("BATCH_TOO_LARGE", format!("{count} records at a time, {BATCH} at most"))),
    }
}
