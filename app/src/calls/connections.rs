//! What the screens of connections ask and do.

use super::{CallError, ConnectionForm, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, as_of, desk};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{
    Connection, ConnectionDetail, ConnectionId, ConnectionPage, Evidence, Issue, Page, PlatformRef, ReconnectLink,
    Role, SourceRef, TimelineItem,
};
use serde::{Deserialize, Serialize};

/// A page of connections, with the rows that are still on the screen but no longer on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// The page.
    pub page: ConnectionPage,
    /// Rows that are shown but no longer on the page.
    pub strays: Vec<Connection>,
}

/// What connections can be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facets {
    /// Every platform that has connections.
    pub platforms: Vec<PlatformRef>,
    /// Every source.
    pub sources: Vec<SourceRef>,
}

/// Everything on a connection's own page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// The connection.
    pub detail: ConnectionDetail,
    /// The newest evidence.
    pub evidence: Vec<Evidence>,
    /// A page of its timeline.
    pub timeline: Page<TimelineItem>,
    /// The newest items, enough for the time bar.
    pub recent: Page<TimelineItem>,
    /// Its issues, newest first.
    pub issues: Vec<Issue>,
    /// Its reconnect links, newest first.
    pub links: Vec<ReconnectLink>,
    /// The address of the link that was just made, told once.
    #[serde(default)]
    pub made: Option<String>,
}

/// A connection found by the palette.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Which.
    pub id: ConnectionId,
    /// Its customer.
    pub customer: String,
    /// Its platform.
    pub platform: String,
    /// How it is.
    pub health: model::Health,
}

/// A page of connections; `query` is what the address says, `shown` are the rows on the screen.
#[server(prefix = "/_app", endpoint = "connections", protocol = Wire)]
pub async fn list_connections(query: String, shown: Vec<ConnectionId>) -> Result<Listing, CallError> {
    let (desk, actor) = desk()?;
    let query = answer(model::ConnectionQuery::from_query(&query))?;
    let page = answer(desk.connections(&actor, query).await)?;
    let strays: Vec<_> = shown.into_iter().filter(|id| !page.items.iter().any(|row| row.id == *id)).collect();
    let strays = if strays.is_empty() { Vec::new() } else { answer(desk.connections_by_id(&actor, &strays).await)? };
    Ok(Listing { as_of: as_of(), page, strays })
}

/// What connections can be filtered by.
#[server(prefix = "/_app", endpoint = "facets", protocol = Wire)]
pub async fn ask_facets() -> Result<Facets, CallError> {
    let (desk, actor) = desk()?;
    let platforms = answer(desk.platforms(&actor).await)?;
    let sources = answer(desk.sources(&actor).await)?;
    let sources =
        sources.into_iter().map(|s| SourceRef { id: s.id, name: s.name, environment: s.environment }).collect();
    Ok(Facets { platforms, sources })
}

/// Connections found by a part of a name, for the palette.
#[server(prefix = "/_app", endpoint = "find", protocol = Wire)]
pub async fn find_connections(words: String) -> Result<Vec<Hit>, CallError> {
    let (desk, actor) = desk()?;
    let words = words.chars().filter(|c| *c != '\0').take(200).collect();
    let query = model::ConnectionQuery { q: Some(words), limit: Some(8), ..Default::default() };
    let found = answer(desk.connections(&actor, query).await)?.items.into_iter();
    Ok(found
        .map(|c| Hit { id: c.id, customer: c.customer.name, platform: c.platform.name, health: c.health })
        .collect())
}

/// Everything on a connection's own page; `older` is where its timeline begins.
#[server(prefix = "/_app", endpoint = "connection", protocol = Wire)]
pub async fn ask_connection(id: ConnectionId, older: Option<String>) -> Result<Story, CallError> {
    let (desk, actor) = desk()?;
    let detail = answer(desk.connection(&actor, id).await)?;
    let page = |cursor, limit| model::PageQuery { cursor, limit: Some(limit) };
    let evidence = answer(desk.evidence(&actor, id, page(None, 6)).await)?.items;
    let timeline = answer(desk.timeline(&actor, id, page(older, 50)).await)?;
    let recent = answer(desk.timeline(&actor, id, page(None, 200)).await)?;
    let issues = model::IssueQuery { connection: vec![id], limit: Some(20), ..Default::default() };
    let issues = answer(desk.issues(&actor, issues).await)?.items;
    let links = answer(desk.reconnect_links(&actor, id).await)?;
    let made = super::history::told_once(id);
    Ok(Story { as_of: as_of(), role: actor.role, detail, evidence, timeline, recent, issues, links, made })
}

/// Asks upstream about a connection now.
#[server(prefix = "/_app", endpoint = "check-connection")]
pub async fn check_connection(id: ConnectionId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.check_connection(&actor, id).await).map(drop)
}

/// Changes what is ours on a connection.
#[server(prefix = "/_app", endpoint = "change-connection")]
pub async fn change_connection(form: ConnectionForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let (id, patch) = answer_form(form.read(), form.kept())?;
    answer_form(desk.change_connection(&actor, id, patch).await, form.kept()).map(drop)
}
