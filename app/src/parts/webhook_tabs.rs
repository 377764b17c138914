//! The three screens of webhooks, side by side.

use super::areas::areas;
use leptos::prelude::*;

const SCREENS: [(&str, &str); 3] =
    [("/webhooks", "Failed"), ("/webhooks/events", "Events"), ("/webhooks/endpoints", "Endpoints")];

/// The way to each; `here` is the address of the one that is open.
pub(crate) fn webhook_tabs(here: &'static str) -> AnyView {
    areas("Webhooks", &SCREENS, here)
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
