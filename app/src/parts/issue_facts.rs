//! What is known of an issue: its facts, its story, and both as text for a ticket.

use super::{issue_row, mark::badge, time::Moment};
use crate::calls::issues::IssueStory;
use leptos::prelude::*;
use model::IssueEntry;

/// The facts beside the story.
pub(crate) fn facts(story: &IssueStory, now: Moment) -> AnyView {
    let issue = &story.issue;
    let row = |name: &'static str, value: AnyView| view! { <dt>{name}</dt><dd>{value}</dd> }.into_any();
    let others = issue.connection.as_ref().map(|c| {
        row("Others", view! { <a href=format!("/issues?connection={}", c.id)>"Its issues so far"</a> }.into_any())
    });
    view! {
        <dl class="facts">
            {row("State", issue.state.words().into_any())}
            {row("Assignee", issue.assignee.clone().unwrap_or_else(|| "nobody".to_owned()).into_any())}
            {row("Opened", now.ago(issue.opened_at))}
            {issue.customer.clone().map(|c| row("Customer", view! { <a href=format!("/connections?customer={}", c.id)>{c.name}</a> }.into_any()))}
            {issue.platform.clone().map(|p| row("System", p.name.into_any()))}
            {issue.health.map(|health| row("Its connection is", badge(health)))}
            {others}
        </dl>
    }
    .into_any()
}

/// The story, newest first.
pub(crate) fn story(entries: &[IssueEntry], now: Moment) -> AnyView {
    let one = |entry: &IssueEntry| {
        let by = entry.by.clone().unwrap_or_else(|| "Linewatch".to_owned());
        view! {
            <li class="with-mark">
                <i class=format!("sign {}", if entry.by.is_some() { "person" } else { "issue" }) aria-hidden="true"></i>
                <div>
                    <p class="said-by">{entry.text.clone()}</p>
                    <p class="sub">{entry.kind.words()}" · "{by}</p>
                </div>
                <span class="when">{now.ago(entry.at)}</span>
            </li>
        }
        .into_any()
    };
    view! { <ol class="log">{entries.iter().map(one).collect::<Vec<_>>()}</ol> }.into_any()
}

/// The issue as text, for a ticket.
pub(crate) fn ticket(story: &IssueStory, now: Moment) -> String {
    let issue = &story.issue;
    let mut lines = vec![
        format!("#{} {}", issue.number, issue_row::headline(issue)),
        format!("Opened: {} ({})", now.exact(issue.opened_at), super::time::ago(now.age(issue.opened_at))),
        format!("Why: {}", issue.cause.summary),
        format!("Who must act: {}. {}", issue.cause.actor.words(), issue.cause.code.next_step()),
        format!("State: {} · Assignee: {}", issue.state.words(), issue.assignee.as_deref().unwrap_or("nobody")),
    ];
    lines.extend(issue_row::again(issue.recurrences));
    if let Some(detail) = &story.connection {
        let c = &detail.connection;
        lines.push(format!(
            "Customer: {} · System: {} · Source: {} · Key: {}",
            c.customer.name, c.platform.name, c.source.name, c.key
        ));
        lines.extend(detail.upstream_error.as_ref().map(|error| format!("Makini's error: {error}")));
    }
    lines.extend(story.entries.iter().map(|entry| {
        format!("{}: {} ({})", now.exact(entry.at), entry.text, entry.by.as_deref().unwrap_or("Linewatch"))
    }));
    lines.join("\n")
}
