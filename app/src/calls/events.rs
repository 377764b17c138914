//! What the screens of received events ask.

use super::{CallError, Wire};
#[cfg(feature = "ssr")]
use super::{answer, as_of, desk, failures::laid_out};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{ConnectionRef, Delivery, Event, EventDetail, EventId, Page, Revealed, Role};
use serde::{Deserialize, Serialize};

/// A page of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventListing {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// The page.
    pub page: Page<Event>,
    /// The connections that they are about.
    pub connections: Vec<ConnectionRef>,
    /// Names of sources, to filter by.
    pub sources: Vec<String>,
}

/// Everything about one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventStory {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// The event.
    pub event: EventDetail,
    /// Its payload, laid out; none where it is no JSON or may not be seen.
    pub json: Option<String>,
    /// The connection that it is about.
    pub connection: Option<ConnectionRef>,
    /// Where it was forwarded to.
    pub deliveries: Vec<Delivery>,
}

/// A page of events; `query` is what the address says.
#[server(prefix = "/_app", endpoint = "events", protocol = Wire)]
pub async fn list_events(query: String) -> Result<EventListing, CallError> {
    let (desk, actor) = desk()?;
    let query = answer(model::EventQuery::from_query(&query))?;
    let page = answer(desk.events(&actor, query).await)?;
    let mut ids: Vec<_> = page.items.iter().filter_map(|event| event.connection_id).collect();
    ids.sort();
    ids.dedup();
    let connections = answer(desk.connections_by_id(&actor, &ids).await)?;
    let connections = connections.into_iter().map(|c| ConnectionRef { id: c.id, name: c.name }).collect();
    let sources = answer(desk.sources(&actor).await)?.into_iter().map(|source| source.name).collect();
    Ok(EventListing { as_of: as_of(), page, connections, sources })
}

/// Everything about one event.
#[server(prefix = "/_app", endpoint = "event", protocol = Wire)]
pub async fn ask_event(id: EventId) -> Result<EventStory, CallError> {
    let (desk, actor) = desk()?;
    let event = answer(desk.event(&actor, id).await)?;
    let query = model::DeliveryQuery { event: Some(id), limit: Some(100), ..Default::default() };
    let deliveries = answer(desk.deliveries(&actor, query).await)?.items;
    let connection = match event.event.connection_id {
        Some(id) => answer(desk.connections_by_id(&actor, &[id]).await)?.into_iter().next(),
        None => None,
    };
    let connection = connection.map(|c| ConnectionRef { id: c.id, name: c.name });
    let json = laid_out(&event);
    Ok(EventStory { as_of: as_of(), role: actor.role, event, json, connection, deliveries })
}

/// The payload as it came. Who asks for it is written down.
#[server(prefix = "/_app", endpoint = "reveal-event", protocol = Wire)]
pub async fn reveal_event(id: EventId) -> Result<Revealed, CallError> {
    let (desk, actor) = desk()?;
    answer(desk.reveal_event(&actor, id).await)
}
