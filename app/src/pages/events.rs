//! Webhooks: what was received, newest first, and what became of it.

use crate::{
    asking::{Got, Latest, Question, ask, part, screen},
    browser,
    calls::events::EventListing,
    live::Refetch,
    parts::{
        failed_filters::choice,
        text::{self, encode},
        time::{Moment, use_clock},
        webhook_tabs::{Here, webhook_tabs},
        webhook_words::event_badge,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use model::{Event, EventQuery, EventState};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn EventsPage() -> impl IntoView {
    let address = use_location().search;
    let refetch = Refetch::by_hand().every(Duration::from_secs(10));
    screen(ask(move || Question::Events(address.get()), refetch), list)
}

fn query_of(got: Option<&Got>) -> EventQuery {
    match got.map(|got| &got.question) {
        Some(Question::Events(address)) => EventQuery::from_query(address).unwrap_or_default(),
        _ => EventQuery::default(),
    }
}

/// The address that asks this.
pub(crate) fn address(query: &EventQuery) -> String {
    let mut parts: Vec<(&str, String)> = Vec::new();
    parts.extend(query.webhook_id.iter().map(|id| ("webhook_id", id.clone())));
    parts.extend(query.state.iter().map(|state| ("state", state.to_string())));
    parts.extend(query.kind.iter().map(|kind| ("kind", kind.clone())));
    parts.extend(query.connection.iter().map(|id| ("connection", id.to_string())));
    parts.extend(query.source.iter().map(|source| ("source", source.clone())));
    parts.extend(query.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
    parts.extend(query.limit.iter().map(|limit| ("limit", limit.to_string())));
    let text: Vec<_> = parts.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if text.is_empty() { "/webhooks/events".to_owned() } else { format!("/webhooks/events?{}", text.join("&")) }
}

fn list(latest: Latest) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&EventListing, &EventQuery, Moment) -> AnyView| {
        part(latest, move |got| match got.events() {
            Some(listing) => draw(listing, &query_of(Some(got)), clock.moment(listing.as_of)),
            None => ().into_any(),
        })
    };
    let question = Memo::new(move |_| latest.with(|got| got.as_ref().map(|got| got.question.clone())));
    let bar = move || {
        question.track();
        latest.with_untracked(|got| got.as_ref().and_then(Got::events).map(|l| filters(l, &query_of(got.as_ref()))))
    };
    view! {
        <Title text="Events received" />
        {webhook_tabs(Here::Events)}
        <h1>"Events received"<span class="quiet">", newest first"</span></h1>
        {bar}
        {part(rows)}
    }
    .into_any()
}

fn filters(listing: &EventListing, query: &EventQuery) -> AnyView {
    let navigate = use_navigate();
    let submit = move |event: leptos::ev::SubmitEvent| {
        let Some(text) = browser::form_query(&event) else { return };
        event.prevent_default();
        let to = EventQuery::from_query(&text).map_or(format!("/webhooks/events?{text}"), |query| address(&query));
        navigate(&to, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    let states = EventState::ALL.iter().map(|state| (state.code().to_owned(), state.words().to_owned())).collect();
    let sources = listing.sources.iter().map(|name| (name.clone(), name.clone())).collect();
    let clean = EventQuery { limit: query.limit, ..EventQuery::default() };
    let name = query.connection.map(|id| {
        let known = listing.connections.iter().find(|connection| connection.id == id).map(|c| c.name.clone());
        known.unwrap_or_else(|| "one connection".to_owned())
    });
    view! {
        <form class="filters" method="get" action="/webhooks/events" role="search" on:submit=submit>
            {query.connection.map(|id| view! { <input type="hidden" name="connection" value=id.to_string() /> })}
            <div class="search">
                <input type="search" id="search" name="webhook_id" value=query.webhook_id.clone() maxlength="200" autocomplete="off" spellcheck="false"
                    placeholder="Makini’s id of the webhook" aria-label="Search by Makini’s id" />
                <kbd aria-hidden="true">"/"</kbd>
            </div>
            {choice("state", "State", "Every state", query.state.first().map(ToString::to_string).unwrap_or_default(), states)}
            {choice("source", "Source", "Every source", query.source.first().cloned().unwrap_or_default(), sources)}
            <input class="kind" name="kind" value=query.kind.first().cloned() maxlength="200" autocomplete="off" spellcheck="false" placeholder="Kind, such as sync_completed" aria-label="Kind" />
            <button class="btn">"Apply"</button>
            {(*query != clean).then(|| view! { <a class="btn quiet" href=address(&clean)>"Show all"</a> })}
        </form>
        {name.map(|name| view! {
            <ul class="chips" aria-label="Filters">
                <li><a class="chip" href=address(&EventQuery { connection: None, cursor: None, ..query.clone() }) aria-label=format!("Remove the filter {name}")>{name.clone()}</a></li>
            </ul>
        })}
    }
    .into_any()
}

fn rows(listing: &EventListing, query: &EventQuery, now: Moment) -> AnyView {
    let page = &listing.page;
    if page.items.is_empty() {
        let words = "Every webhook that Makini sends appears here as soon as it is stored, whatever becomes of it.";
        return view! {
            <section class="empty">
                <i class="empty-line" aria-hidden="true"></i>
                <h2>"No event matches"</h2>
                <p>{words}</p>
                <div class="acts"><a class="btn first" href="/webhooks/events">"Show all"</a></div>
            </section>
        }
        .into_any();
    }
    let rows: Vec<_> = page.items.iter().map(|event| row(event, listing, now)).collect();
    let at = |cursor: Option<String>| address(&EventQuery { cursor, ..query.clone() });
    let next = page.next_cursor.clone().map(|cursor| {
        view! { <a class="btn" rel="next" href=at(Some(cursor))>{format!("Next {}", query.limit())}</a> }.into_any()
    });
    let first =
        query.cursor.is_some().then(|| view! { <a class="btn quiet" href=at(None)>"First page"</a> }.into_any());
    let head = |class: &'static str, words: &'static str| {
        view! { <th role="columnheader" scope="col" class=class>{words}</th> }.into_any()
    };
    view! {
        <table role="table" class="rows issues events">
            <caption class="sr">"Events, newest first"</caption>
            <thead role="rowgroup">
                <tr role="row">{head("c-health", "State")}{head("c-who", "Kind")}{head("c-why", "Connection")}{head("c-owner", "Source")}{head("c-since", "Received")}</tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
        <nav class="pager" aria-label="Pages">
            <p>{text::counted(page.items.len() as u64, "event", "events")}" on this page"</p>
            <div class="acts">{first}{next}</div>
        </nav>
    }
    .into_any()
}

fn row(event: &Event, listing: &EventListing, now: Moment) -> AnyView {
    let name = event.connection_id.and_then(|id| listing.connections.iter().find(|connection| connection.id == id));
    let name = name.map_or_else(|| "–".to_owned(), |connection| connection.name.clone());
    let again = match event.duplicates {
        0 => None,
        1 => Some("came again once".to_owned()),
        n => Some(format!("came again {} times", text::count(n.into()))),
    };
    let maybe = event.maybe_repeat.then(|| "maybe a repeat".to_owned());
    let under: Vec<_> = again.into_iter().chain(maybe).collect();
    view! {
        <tr role="row" class="row issue event" data-event=event.id.to_string() data-state=event.state.code()>
            <td role="cell" class="c-health">{event_badge(event.state)}</td>
            <td role="cell" class="c-who">
                <a class="who" href=format!("/webhooks/events/{}", event.id) data-row="">{event.kind.clone().unwrap_or_else(|| "Without a kind".to_owned())}</a>
                {(!under.is_empty()).then(|| view! { <span class="sub">{under.join(", ")}</span> })}
            </td>
            <td role="cell" class="c-why">{name}</td>
            <td role="cell" class="c-owner">{event.source.clone()}</td>
            <td role="cell" class="c-since">{now.ago(event.received_at)}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        for text in ["", "state=failed&kind=a%26b&source=demo&cursor=x", "webhook_id=evt_7&limit=100"] {
            let query = EventQuery::from_query(text).unwrap();
            let written = address(&query);
            let back = written.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(EventQuery::from_query(back), Ok(query), "{written}");
        }
    }
}
