//! A failure beside the list: what failed, what can be done, every attempt, and what came.

use super::{
    attempts,
    failed_about::{head, may_retry},
    payload::{headers, payload, reveal},
    post::Post,
    time::{Moment, use_clock},
};
use crate::{
    asking::{Got, Latest, Question, part},
    calls::{
        connections::CheckConnection,
        failures::{Opened, RetryOne},
    },
    live::Refetch,
};
use leptos::{prelude::*, server_fn::ServerFn};
use model::Role;

/// What is in the pane.
pub(crate) fn pane(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let retry = Post::new(RetryOne::PATH, "It is tried now.", move || refetch.nudge());
    let check =
        Post::new(CheckConnection::PATH, "Asked Makini. The answer appears by itself.", move || refetch.nudge());
    let draw = move |draw: fn(&Opened, Moment) -> AnyView| {
        part(latest, move |got| match got.failure() {
            Some(opened) => draw(opened, clock.moment(opened.as_of)),
            None => ().into_any(),
        })
    };
    let read = move |read: fn(&Opened) -> String| {
        Memo::new(move |_| latest.with(|got| got.as_ref().and_then(Got::failure).map(read).unwrap_or_default()))
    };
    // Each is a value of its own, so that a form is drawn once and keeps its focus.
    let thing = read(|opened| format!("{}:{}", opened.kind, opened.id));
    let may = read(|opened| may_retry(opened).to_owned());
    let connection = read(|o| {
        o.gap.as_ref().filter(|_| o.role >= Role::Support).map(|gap| gap.connection.id.to_string()).unwrap_or_default()
    });
    let event = read(|o| {
        let event = o.event.as_ref().filter(|event| o.role >= Role::Support && event.payload.is_some());
        event.map(|event| event.event.id.to_string()).unwrap_or_default()
    });
    let retrying = view! {
        <input type="hidden" name="thing" value=move || thing.get() />
        <button class="btn first" data-key="r" hidden=move || may.with(String::is_empty) disabled=move || retry.busy.get()>"Retry now "<kbd aria-hidden="true">"r"</kbd></button>
    };
    let checking = view! {
        <input type="hidden" name="id" value=move || connection.get() />
        <button class="btn first" disabled=move || check.busy.get()>"Check now"</button>
    };
    view! {
            {draw(head)}
            <div class="acts" hidden=move || may.with(String::is_empty)>{retry.form("", retrying.into_any())}</div>
            <p class="help" hidden=move || may.with(String::is_empty)>{move || may.get()}</p>
            {retry.note()}
            <div class="acts" hidden=move || connection.with(String::is_empty)>{check.form("", checking.into_any())}</div>
            {check.note()}
            {draw(tries)}
            {draw(came)}
            {move || event.with(|id| (!id.is_empty()).then(|| reveal(id.clone())))}
            {draw(rest)}
    }
    .into_any()
}

fn tries(opened: &Opened, now: Moment) -> AnyView {
    let list = match (&opened.delivery, &opened.event) {
        _ if opened.notification.is_some() => {
            opened.notification.as_ref().map(|one| attempts::tried(&one.attempts, now)).into_any()
        }
        (Some(delivery), _) => attempts::sent(&delivery.attempts, now),
        (None, Some(event)) => attempts::tried(&event.event.attempts, now),
        _ => return ().into_any(),
    };
    view! { <h3>"Attempts"</h3>{list} }.into_any()
}

fn came(opened: &Opened, _now: Moment) -> AnyView {
    if let Some(text) = opened.notification.as_ref().and_then(|one| one.text.clone()) {
        return view! { <h3>"What it says"</h3><pre tabindex="0" class="payload">{text}</pre> }.into_any();
    }
    let Some(event) = &opened.event else { return ().into_any() };
    view! { <h3>"Payload"</h3>{payload(event, opened.json.as_deref())} }.into_any()
}

fn rest(opened: &Opened, now: Moment) -> AnyView {
    if let Some(rejection) = &opened.rejection {
        return view! {
            <p>{rejection.detail.clone()}</p>
            <p class="sub">"Came "{now.ago(rejection.received_at)}" for "{rejection.source.clone()}". Makini tries a webhook that was turned away again by itself for 24 hours."</p>
            <h3>"Headers"</h3>
            {headers(&rejection.headers)}
            {(!rejection.excerpt.is_empty()).then(|| view! {
                <h3>"The beginning of its body"</h3>
                <pre tabindex="0" class="payload">{rejection.excerpt.clone()}</pre>
            })}
        }
        .into_any();
    }
    if let Some(gap) = &opened.gap {
        let came = match gap.came_at {
            Some(at) => view! { "after all, "{now.ago(at)} }.into_any(),
            None => "not until now".into_any(),
        };
        return view! {
            <p>{gap.explanation.clone()}</p>
            <dl class="facts">
                <dt>"It happened"</dt><dd>{now.ago(gap.happened_at)}</dd>
                <dt>"Seen by a poll, and repaired"</dt><dd>{now.ago(gap.found_at)}</dd>
                <dt>"Its webhook was waited for until"</dt><dd>{now.ago(gap.missed_at)}</dd>
                <dt>"It came"</dt><dd>{came}</dd>
                <dt>"Source"</dt><dd>{gap.source.clone()}</dd>
            </dl>
        }
        .into_any();
    }
    match &opened.event {
        Some(event) => view! { <details><summary>"Headers"</summary>{headers(&event.headers)}</details> }.into_any(),
        None => ().into_any(),
    }
}

/// What to ask for the failure that an address says is open.
pub(crate) fn question(open: Option<String>) -> Question {
    open.map_or(Question::Nothing, Question::Failure)
}
