//! The log of webhooks, by page.

use super::paging::{Page, Pages};
use crate::api::deliveries::{show, wanted};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::outbox::DeliveryStatus;
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::Value;

/// `GET /api/system/webhooks/deliveries`, newest first.
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    pages: Pages,
) -> Result<Json<Page<Value>>, ApiError> {
    caller.admin()?;
    let status = pages.rest.iter().find(|(name, _)| name == "status").map(|(_, value)| read(value)).transpose()?;
    let (data, total) = shared.read(|world| {
        let found = || world.outbox.log.values().rev().filter(|one| wanted(one, status));
        let page: Vec<_> = found().skip(pages.before()).take(pages.size()).map(show).collect();
        (page, found().count())
    });
    Ok(Json(pages.write(data, total)))
}

fn read(status: &str) -> Result<DeliveryStatus, ApiError> {
    let read: Result<_, Error> = DeliveryStatus::deserialize(status.into_deserializer());
    read.map_err(|error| ApiError::invalid(error.to_string()))
}
