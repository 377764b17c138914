//! “Retry everything since 14:05” for one endpoint: a plain form. With wasm the time is of the person's zone.

use super::failed_filters::in_utc;
use crate::browser;
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use model::{EndpointId, FailureKind};

/// The form; it leads to the page that says how many that are.
pub(crate) fn since_form(endpoint: EndpointId) -> AnyView {
    let navigate = use_navigate();
    let submit = move |event: leptos::ev::SubmitEvent| {
        let Some(text) = browser::form_query(&event) else { return };
        event.prevent_default();
        navigate(&format!("/webhooks/retries/new?{}", in_utc(&text)), NavigateOptions::default());
    };
    view! {
        <form class="filters since-form" method="get" action="/webhooks/retries/new" on:submit=submit>
            <input type="hidden" name="kind" value=FailureKind::Delivery.code() />
            <input type="hidden" name="endpoint" value=endpoint.to_string() />
            <label class="inline">
                <span>"Everything since today at"<noscript>" (UTC)"</noscript></span>
                <input type="time" name="since" required=true />
            </label>
            <button class="btn">"Retry it…"</button>
        </form>
    }
    .into_any()
}
