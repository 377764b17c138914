//! Alerts: what fires now, worst first.

use crate::{
    asking::{Got, Latest, Question, ask, screen},
    calls::{
        Said,
        alerts::{AcknowledgeAlert, AlertAsk, AlertBody},
    },
    live::Refetch,
    parts::{
        alert_rows::rows,
        alert_tabs::{body, tabs},
        asked::use_asked,
        empty::Empty,
        post::Post,
        text,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::{Alert, AlertState, ChangeTopic, Page};

/// The screen.
#[component]
pub(crate) fn AlertsPage() -> impl IntoView {
    let address = use_asked();
    let refetch = Refetch::on(&[ChangeTopic::Alert]);
    let asked = ask(move || Question::Alerts(AlertAsk::Firing(address.get())), refetch);
    screen(asked, move |latest| full(latest, refetch))
}

fn page(got: Option<&Got>) -> Option<(&Page<Alert>, &Said)> {
    match &got?.alerts()?.body {
        AlertBody::Firing(page, asked) => Some((page, asked)),
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
    let title = move || latest.with(|got| page(got.as_ref()).map(|(page, asked)| sentence(page, asked.one("state"))));
    let none = Memo::new(move |_| latest.with(|got| page(got.as_ref()).is_none_or(|(page, _)| page.items.is_empty())));
    view! {
        <Title text="Alerts" />
        {tabs("/alerts")}
        <h1>{title}</h1>
        {body(latest, |view| match &view.body {
            AlertBody::Firing(page, asked) => states(page, asked),
            _ => ().into_any(),
        })}
        {take.form_with_id("take", "sr", ().into_any())}
        {take.note()}
        {move || if none.get() { nothing() } else { rows(latest) }}
        {body(latest, |view| match &view.body {
            AlertBody::Firing(page, asked) => more(page, asked),
            _ => ().into_any(),
        })}
    }
    .into_any()
}

/// The address of the list in a state, of whatever it is about.
fn address(asked: &Said, state: &str, cursor: &str) -> String {
    let pairs =
        [("state", state), ("rule", asked.one("rule")), ("connection", asked.one("connection")), ("cursor", cursor)];
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    let said: Vec<_> = said.map(|(name, value)| format!("{name}={}", text::encode(value))).collect();
    if said.is_empty() { "/alerts".to_owned() } else { format!("/alerts?{}", said.join("&")) }
}

/// Which of them.
fn states(page: &Page<Alert>, asked: &Said) -> AnyView {
    let choices = [("", "Firing and pending"), ("firing", "Firing"), ("pending", "Pending"), ("resolved", "Resolved")];
    let one = |(state, words): (&'static str, &'static str)| {
        let here = (state == asked.one("state")).then_some("true");
        view! { <li><a href=address(asked, state, "") aria-current=here>{words}</a></li> }.into_any()
    };
    let first = page.items.first();
    let about = match (asked.one("rule"), asked.one("connection")) {
        ("", "") => None,
        ("", _) => Some(first.map_or_else(|| "one connection".to_owned(), |alert| alert.subject.name.clone())),
        _ => Some(first.map_or_else(|| "one rule".to_owned(), |alert| alert.rule.clone())),
    };
    let chip = about.map(|words| {
        let href = address(&Said::default(), asked.one("state"), "");
        let label = format!("Remove the filter {words}");
        view! { <ul class="chips" aria-label="Filters"><li><a class="chip" href=href aria-label=label>{words}</a></li></ul> }
    });
    let tabs: Vec<_> = choices.map(one).into_iter().collect();
    view! { <ul class="legend tabs" aria-label="Alerts by state">{tabs}</ul>{chip} }.into_any()
}

fn more(page: &Page<Alert>, asked: &Said) -> AnyView {
    let next = page.next_cursor.clone().map(|cursor| {
        let href = address(asked, asked.one("state"), &cursor);
        view! { <a class="btn" rel="next" href=href>"Older alerts"</a> }
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
