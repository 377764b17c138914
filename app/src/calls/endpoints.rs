//! What the screens of endpoints ask and do.

use super::{CallError, EndpointForm, Wire};
#[cfg(feature = "ssr")]
use super::{
    answer, answer_form, as_of, desk,
    history::{keep_told, take_told},
    send_on,
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Delivery, Endpoint, EndpointId, PlatformRef, Role, Sent, SourceId};
use serde::{Deserialize, Serialize};

/// The endpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// By name.
    pub endpoints: Vec<Endpoint>,
    /// What can be filtered by.
    pub known: Known,
}

/// What the events of an endpoint can be chosen by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Sources.
    pub sources: Vec<(SourceId, String)>,
    /// Platforms.
    pub platforms: Vec<PlatformRef>,
}

/// Everything about one endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointStory {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its newest secret; told once, to who made it.
    pub told: Option<String>,
    /// Its deliveries that failed, newest first.
    pub failed: Vec<Delivery>,
    /// All of them, newest first.
    pub recent: Vec<Delivery>,
    /// What can be filtered by.
    pub known: Known,
}

#[cfg(feature = "ssr")]
async fn known(desk: &crate::SharedBackend, actor: &model::Actor) -> Result<Known, CallError> {
    let sources = answer(desk.sources(actor).await)?.into_iter().map(|source| (source.id, source.name)).collect();
    Ok(Known { sources, platforms: answer(desk.platforms(actor).await)? })
}

/// The endpoints.
#[server(prefix = "/_app", endpoint = "endpoints", protocol = Wire)]
pub async fn list_endpoints() -> Result<Endpoints, CallError> {
    let (desk, actor) = desk()?;
    let endpoints = answer(desk.endpoints(&actor).await)?;
    let known = known(&desk, &actor).await?;
    Ok(Endpoints { as_of: as_of(), role: actor.role, endpoints, known })
}

/// Everything about one endpoint.
#[server(prefix = "/_app", endpoint = "endpoint", protocol = Wire)]
pub async fn ask_endpoint(id: EndpointId) -> Result<EndpointStory, CallError> {
    let (desk, actor) = desk()?;
    let endpoint = answer(desk.endpoint(&actor, id).await)?;
    let of = |state| model::DeliveryQuery { endpoint: Some(id), state, limit: Some(20), ..Default::default() };
    let failed = answer(desk.deliveries(&actor, of(vec![model::DeliveryState::Failed])).await)?.items;
    let recent = answer(desk.deliveries(&actor, of(Vec::new())).await)?.items;
    let told = take_told("made_secret", &id.to_string()).filter(|secret| secret.starts_with("whsec_"));
    let known = known(&desk, &actor).await?;
    Ok(EndpointStory { as_of: as_of(), role: actor.role, endpoint, told, failed, recent, known })
}

/// Tells the newest secret to the next answer to this browser: so it needs no wasm, and never stands in an address or a log.
#[cfg(feature = "ssr")]
fn tell(endpoint: &Endpoint) {
    if let Some(secret) = &endpoint.secret {
        keep_told("made_secret", &endpoint.id.to_string(), secret);
    }
}

/// Adds an endpoint and goes to its page, which tells its secret once.
#[server(prefix = "/_app", endpoint = "add-endpoint")]
pub async fn add_endpoint(form: EndpointForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = answer_form(form.read_new(), form.kept())?;
    let endpoint = answer_form(desk.add_endpoint(&actor, new).await, form.kept())?;
    tell(&endpoint);
    send_on(&format!("/webhooks/endpoints/{}", endpoint.id));
    Ok(())
}

/// Changes an endpoint.
#[server(prefix = "/_app", endpoint = "change-endpoint")]
pub async fn change_endpoint(id: EndpointId, form: EndpointForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = answer_form(form.read_patch(), form.kept())?;
    let endpoint = answer_form(desk.change_endpoint(&actor, id, patch).await, form.kept())?;
    send_on(&format!("/webhooks/endpoints/{id}?saved={}", endpoint.version));
    Ok(())
}

/// Switches an endpoint on (`on`) or off; what is due waits.
#[server(prefix = "/_app", endpoint = "switch-endpoint")]
pub async fn switch_endpoint(id: EndpointId, to: String) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = model::EndpointPatch { enabled: Some(to == "on"), ..Default::default() };
    answer(desk.change_endpoint(&actor, id, patch).await).map(drop)
}

/// Gives an endpoint a new secret, told once by its page.
#[server(prefix = "/_app", endpoint = "rotate-endpoint")]
pub async fn rotate_endpoint(id: EndpointId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let endpoint = answer(desk.rotate_endpoint_secret(&actor, id).await)?;
    tell(&endpoint);
    send_on(&format!("/webhooks/endpoints/{id}?rotated=1"));
    Ok(())
}

/// Takes an endpoint away.
#[server(prefix = "/_app", endpoint = "remove-endpoint")]
pub async fn remove_endpoint(id: EndpointId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_endpoint(&actor, id).await)?;
    send_on("/webhooks/endpoints");
    Ok(())
}

/// Sends a signed test event now; nothing is kept.
#[server(prefix = "/_app", endpoint = "test-endpoint", protocol = Wire)]
pub async fn test_endpoint(id: EndpointId) -> Result<Sent, CallError> {
    let (desk, actor) = desk()?;
    answer(desk.test_endpoint(&actor, id).await)
}
