//! What stands above every screen of alerts: the way to the others.

use super::areas::areas;
use crate::{
    asking::{Got, Latest, part},
    browser,
    calls::alerts::{AlertBody, AlertsView},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

const TABS: [(&str, &str); 6] = [
    ("/alerts", "Firing"),
    ("/alerts/rules", "Rules"),
    ("/alerts/silences", "Silences & maintenance"),
    ("/alerts/routes", "Routes"),
    ("/alerts/channels", "Channels"),
    ("/alerts/log", "Log"),
];

/// The tabs; `here` is the address of the one that is open.
pub(crate) fn tabs(here: &'static str) -> AnyView {
    areas("Alerts", &TABS, here)
}

/// A part of the screen that follows what one kind of answer holds.
pub(crate) fn body(latest: Latest, draw: impl Fn(&AlertsView) -> AnyView + Send + Sync + 'static) -> AnyView {
    part(latest, move |got| got.alerts().map_or_else(|| ().into_any(), &draw))
}

/// What an answer holds now, read once.
pub(crate) fn first<T>(latest: Latest, read: impl Fn(&AlertBody) -> Option<T>) -> Option<T> {
    latest.with_untracked(|got| got.as_ref().and_then(Got::alerts).and_then(|view| read(&view.body)))
}

/// What a form that asks does when it is submitted: without loading a document it goes to the address that it means.
pub(crate) fn steering(path: &'static str) -> impl Fn(leptos::ev::SubmitEvent) + Clone + 'static {
    let navigate = use_navigate();
    move |event| {
        let Some(text) = browser::form_query(&event) else { return };
        event.prevent_default();
        let said: Vec<_> = text.split('&').filter(|pair| !pair.is_empty() && !pair.ends_with('=')).collect();
        let address = if said.is_empty() { path.to_owned() } else { format!("{path}?{}", said.join("&")) };
        navigate(&address, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    }
}

/// Where one is, below a tab.
pub(crate) fn crumbs(href: &'static str, words: &'static str, here: impl Into<String>) -> AnyView {
    view! {
        <nav class="crumbs" aria-label="You are here">
            <a href="/alerts">"Alerts"</a>
            <span aria-hidden="true">" / "</span>
            <a href=href>{words}</a>
            <span aria-hidden="true">" / "</span>
            <span>{here.into()}</span>
        </nav>
    }
    .into_any()
}
