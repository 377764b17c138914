//! Webhooks: a new endpoint.

use crate::{
    asking::{Got, Latest, Question, ask, screen},
    calls::endpoints::AddEndpoint,
    live::Refetch,
    parts::{endpoint_fields::endpoint_fields, field::Fields, post::Post, webhook_tabs::crumbs},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::Role;

/// The screen.
#[component]
pub(crate) fn NewEndpointPage() -> impl IntoView {
    screen(ask(|| Question::Endpoints, Refetch::by_hand()), full)
}

fn full(latest: Latest) -> AnyView {
    let add = Post::new(AddEndpoint::PATH, "", || ());
    let form = latest.with_untracked(|got| {
        let known = got.as_ref().and_then(Got::endpoints)?;
        if known.role < Role::Admin {
            let words = format!("Endpoints are added by the role “{}”.", Role::Admin.words());
            return Some(view! { <p class="note">{words}</p> }.into_any());
        }
        let inner = view! {
            {endpoint_fields(Fields { group: "form", post: add }, None, &known.known)}
            {add.note()}
            <div class="acts">
                <button class="btn first" disabled=move || add.busy.get()>"Add the endpoint"</button>
                <a class="btn quiet" href="/webhooks/endpoints">"Cancel"</a>
            </div>
        };
        Some(add.form("form wide-form", inner.into_any()))
    });
    view! {
        <Title text="Add an endpoint" />
        {crumbs("/webhooks/endpoints", "Endpoints", "New".to_owned())}
        <h1>"Add an endpoint of your own application."</h1>
        <p class="lede">
            "Every event that it asks for is sent there as it came, signed with a secret of its own, which is shown once after this."
        </p>
        {form}
    }
    .into_any()
}
