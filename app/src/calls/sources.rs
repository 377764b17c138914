//! What the settings of sources ask and do.

use super::{CallError, SourceForm, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, as_of, desk, send_on};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Role, SecretId, Source, SourceId, SourceTest};
use serde::{Deserialize, Serialize};

/// The sources and when they were asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// The sources asked for.
    pub sources: Vec<Source>,
}

/// Every source.
#[server(prefix = "/_app", endpoint = "sources", protocol = Wire)]
pub async fn list_sources() -> Result<Sources, CallError> {
    let (desk, actor) = desk()?;
    let sources = answer(desk.sources(&actor).await)?;
    Ok(Sources { as_of: as_of(), role: actor.role, sources })
}

/// One source.
#[server(prefix = "/_app", endpoint = "source", protocol = Wire)]
pub async fn ask_source(id: SourceId) -> Result<Sources, CallError> {
    let (desk, actor) = desk()?;
    let source = answer(desk.source(&actor, id).await)?;
    Ok(Sources { as_of: as_of(), role: actor.role, sources: vec![source] })
}

/// Adds a source and goes to its page.
#[server(prefix = "/_app", endpoint = "add-source")]
pub async fn add_source(form: SourceForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = answer_form(form.read_new(), form.kept())?;
    let source = answer_form(desk.add_source(&actor, new).await, form.kept())?;
    send_on(&format!("/settings/sources/{}?added=1", source.id));
    Ok(())
}

/// Changes a source.
#[server(prefix = "/_app", endpoint = "change-source")]
pub async fn change_source(id: SourceId, form: SourceForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = answer_form(form.read_patch(), form.kept())?;
    let source = answer_form(desk.change_source(&actor, id, patch).await, form.kept())?;
    send_on(&format!("/settings/sources/{}?saved={}", source.id, source.version));
    Ok(())
}

/// Tries a source out; changes nothing.
#[server(prefix = "/_app", endpoint = "test-source", protocol = Wire)]
pub async fn test_source(id: SourceId) -> Result<SourceTest, CallError> {
    let (desk, actor) = desk()?;
    answer(desk.test_source(&actor, id).await)
}

/// Adds a webhook secret.
#[server(prefix = "/_app", endpoint = "add-secret")]
pub async fn add_secret(id: SourceId, secret: String) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = model::NewWebhookSecret { secret: secret.trim().to_owned() };
    answer(desk.add_webhook_secret(&actor, id, new).await).map(drop)
}

/// Retires a webhook secret.
#[server(prefix = "/_app", endpoint = "retire-secret")]
pub async fn retire_secret(id: SourceId, secret: SecretId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.retire_webhook_secret(&actor, id, secret).await).map(drop)
}
