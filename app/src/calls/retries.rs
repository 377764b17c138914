//! What the screens of retrying many ask and do.

use super::{CallError, RetryForm, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, as_of, desk, send_on};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{BulkState, RetryError, RetryId, Role};
use serde::{Deserialize, Serialize};

/// Many being tried again, or what it would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryView {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// Its id; none for a preview.
    pub id: Option<RetryId>,
    /// Where it stands; none for a preview.
    pub state: Option<BulkState>,
    /// Which: the filters by name, each with its values.
    pub filter: Vec<(String, Vec<String>)>,
    /// How many a second.
    pub rate: u32,
    /// How many.
    pub total: i64,
    /// Arrived, processed or sent.
    pub done: i64,
    /// Failed again.
    pub failed: i64,
    /// Left out.
    pub skipped: i64,
    /// Let go: tried, or under way.
    pub let_go: i64,
    /// Still to do.
    pub remaining: i64,
    /// Who started it.
    pub by: String,
    /// When.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why those that failed did.
    pub errors: Vec<RetryError>,
}

#[cfg(feature = "ssr")]
fn view(retry: model::Retry, role: Role) -> RetryView {
    RetryView {
        as_of: as_of(),
        role,
        id: retry.id,
        state: retry.state,
        filter: retry.filter.0.0.into_iter().collect(),
        rate: retry.rate,
        total: retry.total,
        done: retry.done,
        failed: retry.failed,
        skipped: retry.skipped,
        let_go: retry.let_go,
        remaining: retry.remaining,
        by: retry.by,
        started_at: retry.started_at,
        ended_at: retry.ended_at,
        errors: retry.errors,
    }
}

/// Counts what an address of the failed list means; changes nothing.
#[server(prefix = "/_app", endpoint = "preview-retry", protocol = Wire)]
pub async fn preview_retry(wish: String) -> Result<RetryView, CallError> {
    let (desk, actor) = desk()?;
    let form = RetryForm { wish, rate: String::new() };
    let new = answer(form.read(as_of()))?;
    let retry = answer(desk.start_retry(&actor, model::NewRetry { dry_run: true, ..new }).await)?;
    Ok(view(retry, actor.role))
}

/// Starts it and goes to its progress.
#[server(prefix = "/_app", endpoint = "start-retry")]
pub async fn start_retry(form: RetryForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = answer_form(form.read(as_of()), form.kept())?;
    let retry = answer_form(desk.start_retry(&actor, new).await, form.kept())?;
    if let Some(id) = retry.id {
        send_on(&format!("/webhooks/retries/{id}"));
    }
    Ok(())
}

/// How far it has come.
#[server(prefix = "/_app", endpoint = "retry", protocol = Wire)]
pub async fn ask_retry(id: RetryId) -> Result<RetryView, CallError> {
    let (desk, actor) = desk()?;
    let retry = answer(desk.retry(&actor, id).await)?;
    Ok(view(retry, actor.role))
}

/// Stops it for now, or goes on.
#[server(prefix = "/_app", endpoint = "change-retry")]
pub async fn change_retry(id: RetryId, state: BulkState) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = model::RetryPatch { state: Some(state), rate: None };
    answer(desk.change_retry(&actor, id, patch).await).map(drop)
}

/// Ends it; what is done stays done.
#[server(prefix = "/_app", endpoint = "cancel-retry")]
pub async fn cancel_retry(id: RetryId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.cancel_retry(&actor, id).await).map(drop)
}
