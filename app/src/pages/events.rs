//! Webhooks: what was received, newest first, and what became of it.

use crate::{
    asking::{Got, Latest, Question, ask, part, screen},
    browser,
    calls::events::EventListing,
    live::Refetch,
    parts::{
        asked::use_asked,
        event_rows::{address, rows},
        failed_filters::choice,
        time::{Moment, use_clock},
        webhook_tabs::webhook_tabs,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use model::{EventQuery, EventState};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn EventsPage() -> impl IntoView {
    let address = use_asked();
    let refetch = Refetch::by_hand().every(Duration::from_secs(10));
    screen(ask(move || Question::Events(address.get()), refetch), list)
}

fn query_of(got: Option<&Got>) -> EventQuery {
    match got.map(|got| &got.question) {
        Some(Question::Events(address)) => EventQuery::from_query(address).unwrap_or_default(),
        _ => EventQuery::default(),
    }
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
        {webhook_tabs("/webhooks/events")}
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
