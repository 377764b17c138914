//! The filters of the failed list: a plain form. With wasm a time is of the person's zone.

use super::{
    failed_query::{Asks, address, pairs, read, with},
    time::iso,
    webhook_words::error_words,
};
use crate::{browser, calls::failures::FailureListing};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use model::Role;

/// The bar.
pub(crate) fn filters(listing: &FailureListing, asks: &Asks) -> AnyView {
    let navigate = use_navigate();
    let query = &asks.query;
    let submit = move |event: leptos::ev::SubmitEvent| {
        let Some(text) = browser::form_query(&event) else { return };
        event.prevent_default();
        let text = in_utc(&text);
        // Of a time typed now and one that was there, the one typed now stays.
        let to = read(&text, None).map_or_else(|_| with(&text), |asks| address(&asks));
        navigate(&to, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    let ours = ["source", "endpoint", "q", "path"];
    // One class can be chosen here; of several in the address the others stay.
    let (class, classes) = query.error.split_first().map_or(("", &[][..]), |(one, others)| (one.as_str(), others));
    let hidden: Vec<_> = pairs(query)
        .into_iter()
        .filter(|(name, value)| !ours.contains(name) && (*name != "error" || classes.contains(value)))
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
        .collect();
    let sources = listing.sources.iter().map(|name| (name.clone(), name.clone())).collect();
    let endpoints = listing.endpoints.iter().map(|one| (one.id.to_string(), one.name.clone())).collect();
    let endpoint = query.endpoint.map(|id| id.to_string()).unwrap_or_default();
    // Payloads are not for viewers, nor is searching in them.
    let may = listing.role >= Role::Support;
    let search = may.then(|| {
        view! {
            <div class="search">
                <input type="search" id="search" name="q" value=query.q.clone() maxlength="200" autocomplete="off"
                    placeholder="Text in the error or the payload" aria-label="Search failures" />
                <kbd aria-hidden="true">"/"</kbd>
            </div>
        }
        .into_any()
    });
    let place = may.then(|| {
        view! {
            <label class="inline">
                <span>"The text stands at"</span>
                <input name="path" value=query.path.clone() placeholder="data.error.code" autocomplete="off" spellcheck="false" />
            </label>
        }
        .into_any()
    });
    view! {
        <form class="filters failed-filters" method="get" action="/webhooks" role="search" on:submit=submit>
            {hidden}
            {asks.grouped.then(|| view! { <input type="hidden" name="group" value="cause" /> })}
            {search}
            {choice("source", "Source", "Every source", query.source.first().cloned().unwrap_or_default(), sources)}
            {choice("endpoint", "Endpoint", "Every endpoint", endpoint, endpoints)}
            {choice("error", "Error", "Every error", class.to_owned(), errors(listing, class))}
            {connection(listing, asks)}
            <label class="inline">
                <span>"Since today at"<noscript>" (UTC)"</noscript></span>
                <input type="time" name="since" />
            </label>
            <button class="btn">"Apply"</button>
            <details class="more-filters">
                <summary>"More filters"</summary>
                <div>
                    {place}
                    <label class="inline"><span>"Since"<noscript>" (UTC)"</noscript></span><input type="datetime-local" name="since" /></label>
                    <label class="inline"><span>"Until"<noscript>" (UTC)"</noscript></span><input type="datetime-local" name="until" /></label>
                </div>
            </details>
        </form>
    }
    .into_any()
}

/// The classes of errors that occur now, and the one that is chosen.
fn errors(listing: &FailureListing, chosen: &str) -> Vec<(String, String)> {
    let known = &listing.summary.errors;
    let also = (!chosen.is_empty() && !known.iter().any(|class| class == chosen)).then(|| chosen.to_owned());
    also.iter().chain(known).map(|class| (class.clone(), error_words(class))).collect()
}

/// A part of a connection's name; suggested are those of which something failed. The server knows whom it means.
fn connection(listing: &FailureListing, asks: &Asks) -> AnyView {
    let suggested: Vec<_> = listing
        .summary
        .connections
        .iter()
        .map(|one| view! { <option value=one.name.clone()></option> }.into_any())
        .collect();
    let other = if asks.query.connection.is_some() { "Another connection" } else { "Any connection" };
    view! {
        <input class="kind" type="search" name="about" list="failed-connections" value=asks.about.clone() maxlength="200" autocomplete="off"
            placeholder=other aria-label="Connection" />
        <datalist id="failed-connections">{suggested}</datalist>
    }
    .into_any()
}

/// Times of a form, as a browser's fields write them in the person's zone, as the address says them.
pub(crate) fn in_utc(text: &str) -> String {
    let pair = |pair: &str| -> Option<String> {
        let (name, value) = pair.split_once('=').filter(|(_, value)| !value.is_empty())?;
        if name != "since" && name != "until" {
            return Some(pair.to_owned());
        }
        let plain = value.replace("%3A", ":");
        let at = match plain.len() {
            5 => browser::today_at(&plain),
            16 => browser::read_local(&plain),
            _ => None,
        };
        Some(at.map_or_else(|| pair.to_owned(), |at| format!("{name}={}", super::text::encode(&iso(at)))))
    };
    text.split('&').filter_map(pair).collect::<Vec<_>>().join("&")
}

/// One of several; it takes effect at once.
pub(crate) fn choice(
    name: &'static str,
    label: &'static str,
    all: &'static str,
    current: String,
    known: Vec<(String, String)>,
) -> AnyView {
    let option = |(value, words): (String, String)| {
        let selected = value == current;
        view! { <option value=value selected=selected>{words}</option> }.into_any()
    };
    let options: Vec<_> = known.into_iter().map(option).collect();
    view! {
        <select name=name aria-label=label on:change=|event| browser::submit_form_of(&event)>
            <option value="">{all}</option>
            {options}
        </select>
    }
    .into_any()
}
