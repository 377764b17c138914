//! The issues of a connection: those that live, each with who has it; those that are over, closed away.

use super::{text, time::Moment};
use leptos::prelude::*;
use model::{Issue, IssueState};

/// The section; nothing where there never was an issue.
pub(crate) fn its_issues(issues: &[Issue], now: Moment) -> AnyView {
    if issues.is_empty() {
        return ().into_any();
    }
    let (live, over): (Vec<_>, Vec<_>) = issues.iter().partition(|issue| issue.state.is_live());
    let items = |issues: &[&Issue]| issues.iter().map(|issue| item(issue, now)).collect::<Vec<_>>();
    let before = (!over.is_empty()).then(|| text::counted(over.len() as u64, "resolved issue", "resolved issues"));
    view! {
        <section aria-labelledby="issues">
            <h2 id="issues">"Issues"</h2>
            {(!live.is_empty()).then(|| view! { <ol class="log">{items(&live)}</ol> })}
            {before.map(|words| view! {
                <details>
                    <summary>{words}</summary>
                    <ol class="log">{items(&over)}</ol>
                </details>
            })}
        </section>
    }
    .into_any()
}

fn item(issue: &Issue, now: Moment) -> AnyView {
    let has = match (&issue.assignee, issue.state) {
        (Some(who), _) => format!("{who} has it"),
        (None, IssueState::Resolved | IssueState::Folded) => String::new(),
        (None, _) => "nobody has it yet".to_owned(),
    };
    let again = match issue.recurrences {
        ..=0 => None,
        n => Some(format!("{} in 30 days", nth(n + 1))),
    };
    let state = issue.state.words().to_owned();
    let under: Vec<_> = [Some(state), Some(has), again].into_iter().flatten().filter(|s| !s.is_empty()).collect();
    let wakes = issue
        .snooze_until
        .filter(|_| issue.state == IssueState::Snoozed)
        .map(|at| view! { " · wakes "{now.until(at)} }.into_any());
    let outage = issue
        .outage_id
        .filter(|_| issue.state == IssueState::Folded)
        .map(|_| view! { " · "<a href="/issues">"see the outage"</a> }.into_any());
    view! {
        <li class="with-mark">
            <i class=if issue.state.is_live() { "sign issue" } else { "sign" } aria-hidden="true"></i>
            <div>
                <p><a href=format!("/issues/{}", issue.id)>{format!("#{} {}", issue.number, issue.cause.code.words())}</a></p>
                <p class="sub">{under.join(" · ")}{wakes}{outage}</p>
            </div>
            <span class="when">{match issue.resolved_at { Some(at) => now.ago(at), None => now.ago(issue.opened_at) }}</span>
        </li>
    }
    .into_any()
}

/// “third time”.
fn nth(n: i64) -> String {
    match n {
        2 => "second time".to_owned(),
        3 => "third time".to_owned(),
        4 => "fourth time".to_owned(),
        n => format!("time {n}"),
    }
}
