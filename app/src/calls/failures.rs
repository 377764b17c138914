//! What the failed list asks and does.

use super::{CallError, Wire};
#[cfg(feature = "ssr")]
use super::{answer, as_of, desk};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{
    ConnectionRef, Delivery, EndpointRef, EventDetail, Failure, FailureGroup, FailureKind, FailureSummary, GapView,
    Notification, Page, Rejection, Role,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(feature = "ssr")]
mod meant;

/// A page of failures, with the rows that are still on the screen but no longer on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailureListing {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// How many of each kind, and what stands out.
    pub summary: FailureSummary,
    /// The page; empty where causes were asked for.
    pub page: Page<Failure>,
    /// The causes, where they were asked for.
    pub groups: Option<Vec<FailureGroup>>,
    /// Rows that are shown but no longer on the page.
    pub strays: Vec<Failure>,
    /// Names of sources, to filter by.
    pub sources: Vec<String>,
    /// Endpoints, to filter by.
    pub endpoints: Vec<EndpointRef>,
    /// The connection that is filtered by, whether by its id or by a part of its name.
    pub connection: Option<ConnectionRef>,
    /// Those that a part of a name may mean, where it does not mean one: then nothing else is listed.
    pub meant: Option<Vec<ConnectionRef>>,
}

/// Everything about one failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// What kind of thing.
    pub kind: FailureKind,
    /// Which.
    pub id: Uuid,
    /// As the list shows it; none once it is no failure any more.
    pub failure: Option<Failure>,
    /// The event: itself, or what is delivered.
    pub event: Option<EventDetail>,
    /// Its payload, laid out; none where it is no JSON or may not be seen.
    pub json: Option<String>,
    /// The delivery.
    pub delivery: Option<Delivery>,
    /// The rejection.
    pub rejection: Option<Rejection>,
    /// The gap.
    pub gap: Option<GapView>,
    /// The message to people.
    pub notification: Option<Notification>,
}

/// A page of failures; `query` is what the address says, `shown` are the rows on the screen.
#[server(prefix = "/_app", endpoint = "failures", protocol = Wire)]
pub async fn list_failures(query: String, shown: Vec<Uuid>) -> Result<FailureListing, CallError> {
    let (desk, actor) = desk()?;
    let mut asks = answer(crate::parts::failed_query::read(&query, Some(as_of())))?;
    let (connection, meant) = answer(meant::find(&desk, &actor, &mut asks).await)?;
    let mut summary = answer(desk.failure_summary(&actor, asks.query.clone()).await)?;
    let nothing = Page { items: Vec::new(), next_cursor: None };
    let (page, groups) = if meant.is_some() {
        summary.counts.clear();
        (nothing, None)
    } else if asks.grouped {
        let groups = answer(desk.failure_groups(&actor, asks.query).await)?;
        (nothing, Some(groups))
    } else {
        (answer(desk.failures(&actor, asks.query).await)?, None)
    };
    let gone: Vec<_> = shown.into_iter().take(200).filter(|id| !page.items.iter().any(|row| row.id == *id)).collect();
    let strays = if gone.is_empty() || groups.is_some() {
        Vec::new()
    } else {
        let query = model::FailureQuery { id: gone, limit: Some(200), ..Default::default() };
        answer(desk.failures(&actor, query).await)?.items
    };
    let sources = answer(desk.sources(&actor).await)?.into_iter().map(|source| source.name).collect();
    let endpoints = answer(desk.endpoints(&actor).await)?;
    let endpoints = endpoints.into_iter().map(|one| EndpointRef { id: one.id, name: one.name }).collect();
    let (as_of, role) = (as_of(), actor.role);
    Ok(FailureListing { as_of, role, summary, page, groups, strays, sources, endpoints, connection, meant })
}

/// Everything about one failure; `of` is its kind and its id, with a colon between.
#[server(prefix = "/_app", endpoint = "failure", protocol = Wire)]
pub async fn ask_failure(of: String) -> Result<Opened, CallError> {
    let (desk, actor) = desk()?;
    let (kind, id) = answer(which(&of))?;
    let query = model::FailureQuery { kind: vec![kind], id: vec![id], ..Default::default() };
    let failure = answer(desk.failures(&actor, query).await)?.items.into_iter().next();
    let mut opened = Opened {
        as_of: as_of(),
        role: actor.role,
        kind,
        id,
        failure,
        event: None,
        json: None,
        delivery: None,
        rejection: None,
        gap: None,
        notification: None,
    };
    match kind {
        FailureKind::Processing => opened.event = Some(answer(desk.event(&actor, id.into()).await)?),
        FailureKind::Delivery => {
            let delivery = answer(desk.delivery(&actor, id.into()).await)?;
            // The event may be gone before its delivery.
            opened.event = desk.event(&actor, delivery.event_id).await.ok();
            opened.delivery = Some(delivery);
        }
        FailureKind::Rejection => opened.rejection = Some(answer(desk.rejection(&actor, id.into()).await)?),
        FailureKind::Gap => opened.gap = Some(answer(desk.gap(&actor, id.into()).await)?),
        FailureKind::Notification => {
            opened.notification = Some(answer(desk.notification(&actor, id.into()).await)?);
        }
    }
    opened.json = opened.event.as_ref().and_then(laid_out);
    Ok(opened)
}

/// Tries one failure again: `thing` is its kind and its id, with a colon between.
#[server(prefix = "/_app", endpoint = "retry-one")]
pub async fn retry_one(thing: String) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    match answer(which(&thing))? {
        (FailureKind::Processing, id) => answer(desk.retry_event(&actor, id.into()).await).map(drop),
        (FailureKind::Delivery, id) => answer(desk.retry_delivery(&actor, id.into()).await).map(drop),
        (FailureKind::Notification, id) => answer(desk.retry_notification(&actor, id.into()).await).map(drop),
        _ => answer(Err(model::Refusal::Conflict("There is nothing of it that could be tried again.".into()))),
    }
}

#[cfg(feature = "ssr")]
fn which(of: &str) -> Result<(FailureKind, Uuid), model::Refusal> {
    let read = of.split_once(':').and_then(|(kind, id)| Some((kind.parse().ok()?, id.parse().ok()?)));
    read.ok_or_else(|| model::Refusal::NotFound("This failure".into()))
}

/// A payload over lines, if it is JSON.
#[cfg(feature = "ssr")]
pub(crate) fn laid_out(event: &EventDetail) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(event.payload.as_deref()?).ok()?;
    Some(format!("{json:#}"))
}
