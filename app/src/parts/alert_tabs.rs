//! What stands above every screen of alerts: the way to the others, and which channels fail.

use crate::{
    asking::{Got, Latest, part},
    browser,
    calls::alerts::{AlertBody, AlertsView},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use model::Role;

const TABS: [(&str, &str); 6] = [
    ("/alerts", "Firing"),
    ("/alerts/rules", "Rules"),
    ("/alerts/silences", "Silences & maintenance"),
    ("/alerts/routes", "Routes"),
    ("/alerts/channels", "Channels"),
    ("/alerts/log", "Log"),
];

/// The tabs; `here` is the address of the one that is open.
pub(crate) fn tabs(latest: Latest, here: &'static str) -> AnyView {
    let tab = |(href, words): (&'static str, &'static str)| {
        view! { <li><a href=href aria-current=(href == here).then_some("page")>{words}</a></li> }.into_any()
    };
    let broken = part(latest, |got| match got.alerts() {
        Some(view) => view.broken.iter().map(|(id, name)| banner(id, name)).collect::<Vec<_>>().into_any(),
        None => ().into_any(),
    });
    view! {
        {broken}
        <nav aria-label="Alerts"><ul class="legend area-tabs">{TABS.map(tab).into_iter().collect::<Vec<_>>()}</ul></nav>
    }
    .into_any()
}

fn banner(id: &str, name: &str) -> AnyView {
    view! {
        <section class="banner critical" role="status">
            <div>
                <h2>{format!("Messages to {name} do not get through")}</h2>
                <p>"What should go there waits, or goes to the channel that takes over. See why, and try it out."</p>
            </div>
            <a class="btn" href=format!("/alerts/channels/{id}")>"Open the channel"</a>
        </section>
    }
    .into_any()
}

/// A part of the screen that follows what one kind of answer holds.
pub(crate) fn body(latest: Latest, draw: impl Fn(&AlertsView) -> AnyView + Send + Sync + 'static) -> AnyView {
    part(latest, move |got| got.alerts().map_or_else(|| ().into_any(), &draw))
}

/// What an answer holds now, read once.
pub(crate) fn first<T>(latest: Latest, read: impl Fn(&AlertBody) -> Option<T>) -> Option<T> {
    latest.with_untracked(|got| got.as_ref().and_then(Got::alerts).and_then(|view| read(&view.body)))
}

/// Whether the person may do what takes this role.
pub(crate) fn may(latest: Latest, role: Role) -> bool {
    latest.with_untracked(|got| got.as_ref().and_then(Got::alerts).is_some_and(|view| view.role >= role))
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
