//! What the screens of issues ask and do.

use super::{CallError, IssueForm, IssuesForm, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, as_of, desk};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{
    ConnectionDetail, Issue, IssueChanges, IssueCounts, IssueEntry, IssueId, IssueQuery, IssueState, Page, Refusal,
    Role,
};
use serde::{Deserialize, Serialize};

/// A page of issues, with the rows that are still on the screen but no longer on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IssueListing {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// How many wait for whom.
    pub counts: IssueCounts,
    /// The page.
    pub page: Page<Issue>,
    /// Rows that are shown but no longer on the page.
    pub strays: Vec<Issue>,
}

/// Everything on an issue's own page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IssueStory {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// How the person is called.
    pub me: String,
    /// What the person may do.
    pub role: Role,
    /// The issue.
    pub issue: Issue,
    /// Its story, newest first.
    pub entries: Vec<IssueEntry>,
    /// Its connection; none for an outage, and when it is gone.
    pub connection: Option<ConnectionDetail>,
}

/// What the address of the page asks. Where it does not say `state`, the page shows what is still to be done: what is open, or
/// all that somebody has; of a connection it shows everything. `state=` with nothing is all.
pub fn read_query(address: &str) -> Result<IssueQuery, Refusal> {
    let mut query = IssueQuery::from_query(address)?;
    let said = address.split('&').any(|pair| pair == "state" || pair.starts_with("state="));
    if !said && query.connection.is_empty() {
        query.state = match query.assignee.as_slice() {
            [] => vec![IssueState::Open],
            _ => IssueState::ALL.iter().copied().filter(|state| state.is_live()).collect(),
        };
    }
    Ok(query)
}

/// A page of issues; `query` is what the address says, `shown` are the rows on the screen.
#[server(prefix = "/_app", endpoint = "issues", protocol = Wire)]
pub async fn list_issues(query: String, shown: Vec<IssueId>) -> Result<IssueListing, CallError> {
    let (desk, actor) = desk()?;
    let query = answer(read_query(&query))?;
    let page = answer(desk.issues(&actor, query).await)?;
    let counts = answer(desk.issue_counts(&actor).await)?;
    let mut strays = Vec::new();
    for id in shown.into_iter().take(200).filter(|id| !page.items.iter().any(|row| row.id == *id)) {
        strays.extend(desk.issue(&actor, id).await.ok());
    }
    Ok(IssueListing { as_of: as_of(), role: actor.role, counts, page, strays })
}

/// Everything on an issue's own page.
#[server(prefix = "/_app", endpoint = "issue", protocol = Wire)]
pub async fn ask_issue(id: IssueId) -> Result<IssueStory, CallError> {
    let (desk, actor) = desk()?;
    let issue = answer(desk.issue(&actor, id).await)?;
    let entries = answer(desk.issue_entries(&actor, id).await)?;
    let connection = match &issue.connection {
        Some(connection) => desk.connection(&actor, connection.id).await.ok(),
        None => None,
    };
    Ok(IssueStory { as_of: as_of(), me: actor.name, role: actor.role, issue, entries, connection })
}

/// Takes, hands over, snoozes or ends an issue.
#[server(prefix = "/_app", endpoint = "change-issue")]
pub async fn change_issue(form: IssueForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let (id, patch) = answer_form(form.read(as_of(), &actor.name), form.kept())?;
    answer_form(desk.change_issue(&actor, id, patch).await, form.kept()).map(drop)
}

/// Takes or hands over several; one that is refused does not keep the others.
#[server(prefix = "/_app", endpoint = "change-issues")]
pub async fn change_issues(form: IssuesForm) -> Result<IssueChanges, CallError> {
    let (desk, actor) = desk()?;
    let new = answer(form.read())?;
    answer(desk.change_issues(&actor, new).await)
}

/// Writes something down on an issue.
#[server(prefix = "/_app", endpoint = "note-issue")]
pub async fn note_issue(id: IssueId, text: String) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let kept = vec![("text".to_owned(), text.chars().take(2_000).collect())];
    answer_form(desk.note_issue(&actor, id, model::NewNote { text }).await, kept).map(drop)
}

/// The critical problems that were opened after a moment, in words: for the ring.
#[server(prefix = "/_app", endpoint = "new-problems", protocol = Wire)]
pub async fn ask_new_problems(since: DateTime<Utc>) -> Result<Vec<String>, CallError> {
    let (desk, actor) = desk()?;
    let query = IssueQuery { state: vec![IssueState::Open], limit: Some(20), ..IssueQuery::default() };
    let issues = answer(desk.issues(&actor, query).await)?.items.into_iter();
    let new = issues.filter(|issue| issue.opened_at > since && is_critical(issue));
    Ok(new.map(|issue| crate::parts::issue_row::headline(&issue)).collect())
}

/// Whether somebody should hear of it at once.
#[cfg(feature = "ssr")]
fn is_critical(issue: &Issue) -> bool {
    issue.connection.is_none() || crate::parts::issue_row::health_of(issue.cause.code) <= model::Health::Failing
}
