//! Alerts as rows that are alive: each changes in place, and keeps the focus that is in it.

use super::{
    text,
    time::{Moment, use_clock},
};
use crate::{
    asking::{Got, Latest, may},
    calls::alerts::AlertBody,
};
use leptos::prelude::*;
use model::{Alert, AlertId, AlertState, Role, Severity, Subject, SubjectKind};

/// Where what an alert is about can be seen.
pub(crate) fn place(subject: &Subject) -> Option<String> {
    Some(match subject.kind {
        SubjectKind::Connection => format!("/connections/{}", subject.id),
        SubjectKind::Platform => format!("/connections?platform={}", text::encode(&subject.id)),
        SubjectKind::Source => format!("/settings/sources/{}", text::encode(&subject.id)),
        SubjectKind::Channel => format!("/alerts/channels/{}", text::encode(&subject.id)),
        SubjectKind::Linewatch => "/system".to_owned(),
        SubjectKind::Fleet => "/connections".to_owned(),
        SubjectKind::Endpoint => return None,
    })
}

/// How bad, as shape, word and colour.
pub(crate) fn severity(severity: Severity) -> AnyView {
    view! { <span class=format!("severity {}", severity.code())><i aria-hidden="true"></i>{severity.words()}</span> }
        .into_any()
}

fn alerts(got: Option<&Got>) -> &[Alert] {
    match got.and_then(Got::alerts).map(|view| &view.body) {
        Some(AlertBody::Firing(page, _)) => &page.items,
        _ => &[],
    }
}

/// The table; its buttons belong to the form with the id `take`.
pub(crate) fn rows(latest: Latest) -> AnyView {
    let acts = may(latest, Role::Support);
    let ids = move || latest.with(|got| alerts(got.as_ref()).iter().map(|alert| alert.id).collect::<Vec<_>>());
    let head = |class: &'static str, words: &'static str| {
        view! { <th role="columnheader" scope="col" class=class>{words}</th> }.into_any()
    };
    view! {
        <table role="table" class="rows alerts">
            <caption class="sr">"Alerts, worst first"</caption>
            <thead role="rowgroup">
                <tr role="row">{head("c-health", "How bad")}{head("c-who", "About")}{head("c-why", "What is so")}{head("c-state", "State")}{head("c-since", "Since")}</tr>
            </thead>
            <tbody role="rowgroup">
                <For each=ids key=|id| *id let(id)>{live_row(id, latest, acts)}</For>
            </tbody>
        </table>
    }
    .into_any()
}

/// One row: looks itself up in every new answer.
fn live_row(id: AlertId, latest: Latest, acts: bool) -> AnyView {
    let clock = use_clock();
    let alert = Memo::new(move |before: Option<&Option<Alert>>| {
        let found = latest.with(|got| alerts(got.as_ref()).iter().find(|alert| alert.id == id).cloned());
        found.or_else(|| before.cloned().flatten())
    });
    let as_of = move || latest.with_untracked(|got| got.as_ref().and_then(Got::as_of)).unwrap_or_default();
    (move || {
        let now = clock.moment(as_of());
        alert.with(|alert| alert.as_ref().map(|alert| row(alert, acts, now)))
    })
    .into_any()
}

fn row(alert: &Alert, acts: bool, now: Moment) -> AnyView {
    let over = if alert.state == AlertState::Firing { "" } else { " over" };
    let name = match place(&alert.subject) {
        Some(href) => view! { <a class="who" href=href data-row="">{alert.subject.name.clone()}</a> }.into_any(),
        None => view! { <span class="strong">{alert.subject.name.clone()}</span> }.into_any(),
    };
    let takes = acts && alert.state != AlertState::Resolved && alert.acknowledged_by.is_none();
    let take = takes.then(|| {
        view! {
            <button class="btn small quick" form="take" name="id" value=alert.id.to_string() data-key="e" aria-label=format!("Acknowledge {}", alert.subject.name)>"Acknowledge"</button>
        }
    });
    let silences = acts && alert.state != AlertState::Resolved && alert.muted_by.is_none();
    let silence = silences.then(|| {
        let href = format!("/alerts/silences/new?alert={}", alert.id);
        view! { <a class="btn small quick" href=href aria-label=format!("Silence {}", alert.subject.name)>"Silence"</a> }
    });
    view! {
        <tr role="row" class=format!("alert row{over}") data-alert=alert.id.to_string() data-state=alert.state.code()>
            <td role="cell" class="c-health">{severity(alert.severity)}</td>
            <td role="cell" class="c-who">
                {name}
                <a class="sub rule-of" href=format!("/alerts/rules/{}", alert.rule_id)>{alert.rule.clone()}</a>
            </td>
            <td role="cell" class="c-why">{alert.summary.clone()}</td>
            <td role="cell" class="c-state">
                <span class="state">{alert.state.words()}</span>
                {alert.muted_by.map(|why| view! { <span class="sub">"Not told: "{why.words().to_lowercase()}</span> })}
                {alert.acknowledged_by.clone().map(|who| view! { <span class="sub">{who}" has it"</span> })}
                <span class="acts">{take}{silence}</span>
            </td>
            <td role="cell" class="c-since">{now.ago(alert.since)}</td>
        </tr>
    }
    .into_any()
}
