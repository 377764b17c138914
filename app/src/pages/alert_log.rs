//! Alerts: what was told, to whom, and with how many tries.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    browser,
    calls::{
        Said,
        alerts::{AlertAsk, AlertBody, Choices, RetryNotification},
    },
    live::Refetch,
    parts::{
        alert_tabs::{body, steering, tabs},
        asked::use_asked,
        controls::choices,
        empty::Empty,
        post::Post,
        text,
        time::{Moment, use_clock},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::{ChangeTopic, Notification, NotificationState, Page, Role};

/// The screen.
#[component]
pub(crate) fn LogPage() -> impl IntoView {
    let address = use_asked();
    let refetch = Refetch::on(&[ChangeTopic::Notification]);
    let asked = ask(move || Question::Alerts(AlertAsk::Log(address.get())), refetch);
    screen(asked, move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let acts = may(latest, Role::Support);
    let retry = Post::new(RetryNotification::PATH, "It is tried again", move || refetch.nudge());
    view! {
        <Title text="What was told" />
        {tabs("/alerts/log")}
        <h1>"What was told, and how."</h1>
        {body(latest, |view| match &view.body {
            AlertBody::Log(_, asked, channels) => filters(asked, channels),
            _ => ().into_any(),
        })}
        {retry.form_with_id("retry", "sr", ().into_any())}
        {retry.note()}
        {body(latest, move |view| match &view.body {
            AlertBody::Log(page, asked, _) => table(page, asked, acts, clock.moment(view.as_of)),
            _ => ().into_any(),
        })}
    }
    .into_any()
}

fn filters(asked: &Said, channels: &Choices) -> AnyView {
    let pick = |name: &'static str, label: &'static str, none: &'static str, all: Choices| {
        let now = asked.one(name).to_owned();
        let option = |(value, words): (String, String)| {
            let selected = value == now;
            view! { <option value=value selected=selected>{words}</option> }.into_any()
        };
        let options: Vec<_> = all.into_iter().map(option).collect();
        view! { <select name=name aria-label=label on:change=|event| browser::submit_form_of(&event)><option value="">{none}</option>{options}</select> }
            .into_any()
    };
    let states = choices(NotificationState::ALL, NotificationState::code, NotificationState::words);
    view! {
        <form class="filters" method="get" action="/alerts/log" on:submit=steering("/alerts/log")>
            {pick("state", "State", "Every state", states)}
            {pick("channel", "Channel", "Every channel", channels.clone())}
            <noscript><button class="btn">"Apply"</button></noscript>
        </form>
    }
    .into_any()
}

fn table(page: &Page<Notification>, asked: &Said, acts: bool, now: Moment) -> AnyView {
    if page.items.is_empty() {
        let text =
            "Every message to a channel is listed here with its reason and its tries, also those that were not sent.";
        return view! {
            <Empty title="Nothing was told yet" text=text>
                <a class="btn first" href="/alerts/channels">"Try a channel out"</a>
            </Empty>
        }
        .into_any();
    }
    let head = |class: &'static str, words: &'static str| {
        view! { <th role="columnheader" scope="col" class=class>{words}</th> }.into_any()
    };
    let rows: Vec<_> = page.items.iter().map(|one| row(one, acts, now)).collect();
    let next = page.next_cursor.clone().map(|cursor| {
        let keep = |name: &str| match asked.one(name) {
            "" => String::new(),
            value => format!("{name}={}&", text::encode(value)),
        };
        let href = format!("/alerts/log?{}{}cursor={}", keep("state"), keep("channel"), text::encode(&cursor));
        view! { <a class="btn" rel="next" href=href>"Older messages"</a> }
    });
    view! {
        <table role="table" class="rows alerts">
            <caption class="sr">"Messages, newest first"</caption>
            <thead role="rowgroup">
                <tr role="row">{head("c-health", "State")}{head("c-who", "Message")}{head("c-why", "Why")}{head("c-state", "Channel")}{head("c-since", "When")}</tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
        <nav class="pager" aria-label="Pages"><div class="acts">{next}</div></nav>
    }
    .into_any()
}

/// Where a message stands, as shape and word.
pub(crate) fn state(one: &Notification) -> AnyView {
    view! { <span class=format!("told-state {}", one.state.code())><i aria-hidden="true"></i>{one.state.words()}</span> }.into_any()
}

/// How it came to be, beside its reason.
pub(crate) fn notes(one: &Notification) -> String {
    let tries = text::counted(one.attempts.len() as u64, "try", "tries");
    let repeat = if one.maybe_repeat { " · may be a repeat" } else { "" };
    let instead = if one.instead_of.is_some() { " · took over for another channel" } else { "" };
    format!("{tries}{repeat}{instead}")
}

fn row(one: &Notification, acts: bool, now: Moment) -> AnyView {
    let error = one.attempts.iter().rev().find_map(|attempt| attempt.error.clone());
    let error = error.filter(|_| one.state != NotificationState::Sent).map(|error| error.message);
    let again = (acts && one.state == NotificationState::Failed).then(|| {
        view! { <button class="btn small quick" form="retry" name="id" value=one.id.to_string() data-key="r" aria-label=format!("Send again: {}", one.subject)>"Send again"</button> }
    });
    view! {
        <tr role="row" class="told row" data-notification=one.id.to_string() data-state=one.state.code()>
            <td role="cell" class="c-health">{state(one)}</td>
            <td role="cell" class="c-who"><a class="who" href=format!("/alerts/log/{}", one.id) data-row="">{one.subject.clone()}</a></td>
            <td role="cell" class="c-why">{one.reason.words()}<span class="sub">{notes(one)}</span>{error.map(|error| view! { <span class="sub bad">{error}</span> })}</td>
            <td role="cell" class="c-state">{one.channel.clone()}<span class="sub">{one.channel_kind.words()}</span>{again}</td>
            <td role="cell" class="c-since">{now.ago(one.created_at)}</td>
        </tr>
    }
    .into_any()
}
