//! What is kept for how long, and what Makini could not deliver.

use super::{CallError, RetentionForm, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, as_of, desk, send_on};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{MakiniDelivery, Page, Retention, Role, SourceId};
use serde::{Deserialize, Serialize};

/// How long things are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetentionView {
    /// What the person may do.
    pub role: Role,
    /// It.
    pub retention: Retention,
}

/// What Makini could not deliver to a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakiniDeliveries {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// Which source.
    pub id: SourceId,
    /// Its name.
    pub source: String,
    /// The page.
    pub page: Page<MakiniDelivery>,
    /// Why there is none: the source does not tell, or could not be asked.
    pub silent: Option<String>,
}

/// How long things are kept.
#[server(prefix = "/_app", endpoint = "retention", protocol = Wire)]
pub async fn ask_retention() -> Result<RetentionView, CallError> {
    let (desk, actor) = desk()?;
    let retention = answer(desk.retention(&actor).await)?;
    Ok(RetentionView { role: actor.role, retention })
}

/// Changes how long things are kept.
#[server(prefix = "/_app", endpoint = "change-retention")]
pub async fn change_retention(form: RetentionForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = answer_form(form.read(), form.kept())?;
    let now = answer_form(desk.change_retention(&actor, patch).await, form.kept())?;
    send_on(&format!("/settings/retention?saved={}", now.version));
    Ok(())
}

/// What Makini could not deliver to a source.
#[server(prefix = "/_app", endpoint = "makini-deliveries", protocol = Wire)]
pub async fn ask_makini_deliveries(id: SourceId, cursor: Option<String>) -> Result<MakiniDeliveries, CallError> {
    let (desk, actor) = desk()?;
    let source = answer(desk.source(&actor, id).await)?.name;
    let empty = Page { items: Vec::new(), next_cursor: None };
    // That a source does not tell is no error of the page.
    let (page, silent) = match desk.makini_deliveries(&actor, id, model::PageQuery { cursor, limit: None }).await {
        Ok(page) => (page, None),
        Err(model::Refusal::NotFound(why) | model::Refusal::Conflict(why) | model::Refusal::Unavailable(why)) => {
            (empty, Some(why))
        }
        Err(refusal) => return answer(Err(refusal)),
    };
    Ok(MakiniDeliveries { as_of: as_of(), role: actor.role, id, source, page, silent })
}

/// Asks Makini to deliver one again.
#[server(prefix = "/_app", endpoint = "retry-makini-delivery")]
pub async fn retry_makini_delivery(id: SourceId, delivery: String) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.retry_makini_delivery(&actor, id, delivery).await)
}
