//! Alerts: what fires now, worst first.

use crate::{
    asking::{Got, Latest, Question, ask, screen},
    calls::alerts::{AcknowledgeAlert, AlertAsk, AlertBody},
    live::Refetch,
    parts::{
        alert_rows::rows,
        alert_tabs::{body, tabs},
        empty::Empty,
        post::Post,
        text,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use model::{Alert, AlertState, ChangeTopic, Page};

/// The screen.
#[component]
pub(crate) fn AlertsPage() -> impl IntoView {
    let address = use_location().search;
    let refetch = Refetch::on(&[ChangeTopic::Alert]);
    let asked = ask(move || Question::Alerts(AlertAsk::Firing(address.get())), refetch);
    screen(asked, move |latest| full(latest, refetch))
}

fn page(got: Option<&Got>) -> Option<(&Page<Alert>, &str)> {
    match &got?.alerts()?.body {
        AlertBody::Firing(page, state) => Some((page, state)),
        _ => None,
    }
}

fn sentence(page: &Page<Alert>, state: &str) -> String {
    let of = |state| page.items.iter().filter(|alert| alert.state == state).count() as u64;
    if state == "resolved" {
        return "What fired, and is over.".to_owned();
    }
    let firing = match of(AlertState::Firing) {
        0 => "Nothing fires".to_owned(),
        1 => "1 alert fires".to_owned(),
        n => format!("{} alerts fire", text::count(n)),
    };
    match of(AlertState::Pending) {
        0 => format!("{firing}."),
        n => format!("{firing}; {} may.", text::count(n)),
    }
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let take = Post::new(AcknowledgeAlert::PATH, "Acknowledged", move || refetch.nudge());
    let title = move || latest.with(|got| page(got.as_ref()).map(|(page, state)| sentence(page, state)));
    let none = Memo::new(move |_| latest.with(|got| page(got.as_ref()).is_none_or(|(page, _)| page.items.is_empty())));
    view! {
        <Title text="Alerts" />
        {tabs(latest, "/alerts")}
        <h1>{title}</h1>
        {body(latest, |view| match &view.body {
            AlertBody::Firing(_, state) => states(state),
            _ => ().into_any(),
        })}
        {take.form_with_id("take", "sr", ().into_any())}
        {take.note()}
        {move || if none.get() { nothing() } else { rows(latest) }}
        {body(latest, |view| match &view.body {
            AlertBody::Firing(page, state) => more(page, state),
            _ => ().into_any(),
        })}
    }
    .into_any()
}

/// Which of them.
fn states(now: &str) -> AnyView {
    let choices = [("", "Firing and pending"), ("firing", "Firing"), ("pending", "Pending"), ("resolved", "Resolved")];
    let one = |(state, words): (&'static str, &'static str)| {
        let href = if state.is_empty() { "/alerts".to_owned() } else { format!("/alerts?state={state}") };
        view! { <li><a href=href aria-current=(state == now).then_some("true")>{words}</a></li> }.into_any()
    };
    view! { <ul class="legend tabs" aria-label="Alerts by state">{choices.map(one).into_iter().collect::<Vec<_>>()}</ul> }
        .into_any()
}

fn more(page: &Page<Alert>, state: &str) -> AnyView {
    let next = page.next_cursor.clone().map(|cursor| {
        let state = if state.is_empty() { String::new() } else { format!("state={state}&") };
        view! { <a class="btn" rel="next" href=format!("/alerts?{state}cursor={}", text::encode(&cursor))>"Older alerts"</a> }
    });
    view! { <nav class="pager" aria-label="Pages"><div class="acts">{next}</div></nav> }.into_any()
}

fn nothing() -> AnyView {
    let text = "When one of the rules finds what it looks for, and it lasts, the alert appears here by itself and the people on its route are told.";
    view! {
        <Empty title="Nothing here" text=text>
            <a class="btn first" href="/alerts/rules">"See the rules"</a>
            <a class="btn" href="/alerts/log">"See what was told"</a>
        </Empty>
    }
    .into_any()
}
