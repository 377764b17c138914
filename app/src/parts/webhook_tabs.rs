//! The three screens of webhooks, side by side.

use leptos::prelude::*;

/// Which of them one is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    Failed,
    Events,
    Endpoints,
}

/// The way to each.
pub(crate) fn webhook_tabs(here: Here) -> AnyView {
    let tab = |to: Here, href: &'static str, words: &'static str| {
        view! { <a href=href aria-current=(to == here).then_some("page")>{words}</a> }.into_any()
    };
    view! {
        <nav class="areas" aria-label="Webhooks">
            {tab(Here::Failed, "/webhooks", "Failed")}
            {tab(Here::Events, "/webhooks/events", "Events")}
            {tab(Here::Endpoints, "/webhooks/endpoints", "Endpoints")}
        </nav>
    }
    .into_any()
}

/// The way back to one of them.
pub(crate) fn crumbs(href: &'static str, words: &'static str, here: String) -> AnyView {
    view! {
        <nav class="crumbs" aria-label="You are here">
            <a href="/webhooks">"Webhooks"</a>
            <span aria-hidden="true">" / "</span>
            {(href != "/webhooks").then(|| view! { <a href=href>{words}</a><span aria-hidden="true">" / "</span> })}
            <span>{here}</span>
        </nav>
    }
    .into_any()
}
