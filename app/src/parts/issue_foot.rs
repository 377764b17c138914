//! The foot of a list of issues, and what it says when there is none.

use super::{issue_tabs::address, text};
use crate::calls::issues::IssueListing;
use leptos::prelude::*;
use model::{IssueQuery, IssueState};

/// How many rows, the way to the others, and the list as a file.
pub(crate) fn foot(listing: &IssueListing, query: &IssueQuery) -> AnyView {
    let rows = listing.page.items.len() as u64;
    if rows == 0 && query.cursor.is_none() {
        return ().into_any();
    }
    let next = listing.page.next_cursor.clone().map(|cursor| {
        let next = IssueQuery { cursor: Some(cursor), ..query.clone() };
        view! { <a class="btn" rel="next" href=address(&next)>{format!("Next {}", query.limit())}</a> }.into_any()
    });
    let start = IssueQuery { cursor: None, ..query.clone() };
    let first =
        query.cursor.is_some().then(|| view! { <a class="btn quiet" href=address(&start)>"First page"</a> }.into_any());
    let csv = IssueQuery { limit: None, ..start.clone() }.to_query();
    view! {
        <nav class="pager" aria-label="Pages">
            <p>{text::counted(rows, "issue", "issues")}" on this page"</p>
            <div class="acts">{first}{next}</div>
        </nav>
        <p class="page-foot">
            <a href=format!("/api/v1/issues?format=csv&{csv}") rel="external" download="issues.csv">"Take this list away as CSV"</a>
        </p>
    }
    .into_any()
}

/// In the place of rows: what would appear.
pub(crate) fn nothing(query: &IssueQuery) -> AnyView {
    let (title, text) = match (query.assignee.is_empty(), query.state.as_slice()) {
        (false, _) => {
            ("Nothing is assigned to you", "Issues that you acknowledge, or that somebody gives you, are listed here.")
        }
        (_, [IssueState::Open]) => (
            "No issue is open",
            "When a customer must sign in again, a system stops answering or data stays away, it appears here by itself, with what to do.",
        ),
        (_, [IssueState::WaitingOnCustomer]) => (
            "No issue waits on a customer",
            "Issues in which the customer must act are listed here until the first good sync proves the repair.",
        ),
        (_, [IssueState::Snoozed]) => {
            ("No issue is snoozed", "Issues that sleep until a time are listed here; they wake by themselves.")
        }
        (_, [IssueState::Acknowledged]) => {
            ("No issue is acknowledged", "Issues that somebody has taken are listed here.")
        }
        (_, [IssueState::Resolved]) => {
            ("No issue is resolved yet", "Issues that are over are listed here, newest first.")
        }
        _ => ("No issue", "Issues that fit every filter above would be listed here."),
    };
    let other = if query.state == [IssueState::Open] {
        ("/connections", "See all connections")
    } else {
        ("/issues", "See what is open")
    };
    view! {
        <section class="empty">
            <i class="empty-line" aria-hidden="true"></i>
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="acts"><a class="btn first" href=other.0>{other.1}</a></div>
        </section>
    }
    .into_any()
}
