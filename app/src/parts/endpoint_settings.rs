//! An endpoint's facts, and everything that can be set on it.

use super::{
    endpoint_fields::endpoint_fields, field::Fields, post::Post, text, time::Moment, webhook_words::endpoint_badge,
};
use crate::{
    asking::{Got, Latest},
    calls::endpoints::{ChangeEndpoint, EndpointStory},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use model::Role;

/// How it is, figure by figure.
pub(crate) fn facts(story: &EndpointStory, now: Moment) -> AnyView {
    let endpoint = &story.endpoint;
    let open = endpoint
        .open_since
        .map(|at| view! { <dt>"Not reached for"</dt><dd class="bad">{now.since(at)}</dd> }.into_any());
    let error = endpoint
        .last_error
        .as_ref()
        .map(|error| view! { <dt>"Last error"</dt><dd>{error.message.clone()}</dd> }.into_any());
    let secrets: Vec<_> = endpoint
        .secrets
        .iter()
        .map(|secret| {
            let ends = secret.expires_at.map(|at| view! { ", ends "{now.until(at)} }.into_any());
            view! { <dt>"Secret"</dt><dd><code>{format!("…{}", secret.hint)}</code>" made "{now.ago(secret.created_at)}{ends}</dd> }.into_any()
        })
        .collect();
    view! {
        <dl class="facts">
            <dt>"Health"</dt><dd>{endpoint_badge(endpoint.health)}</dd>
            {open}
            <dt>"Last arrived"</dt><dd>{match endpoint.last_ok_at { Some(at) => now.ago(at), None => "none yet".into_any() }}</dd>
            <dt>"Waiting"</dt><dd>{text::count(endpoint.waiting)}</dd>
            {error}
            <dt>"Address"</dt><dd><code>{endpoint.url.clone()}</code></dd>
            <dt>"Owner"</dt><dd>{endpoint.owner.clone().unwrap_or_else(|| "–".to_owned())}</dd>
            {secrets}
        </dl>
    }
    .into_any()
}

/// Everything that can be set. The form is filled in once; a version that is behind is refused by the desk.
pub(crate) fn settings(first: &EndpointStory, latest: Latest) -> AnyView {
    if first.role < Role::Admin {
        return ().into_any();
    }
    let change = Post::new(ChangeEndpoint::PATH, "", || ());
    let (id, opened) = (first.endpoint.id.to_string(), first.endpoint.version);
    let query = use_query_map();
    let saved = move || query.with(|query| query.get_str("saved").and_then(|saved| saved.parse::<i64>().ok()));
    let ours = Memo::new(move |_| saved().map_or(opened, |saved| saved.max(opened)));
    let version =
        move || latest.with(|got| got.as_ref().and_then(Got::endpoint).map_or(opened, |s| s.endpoint.version));
    let behind = Memo::new(move |_| version() > ours.get());
    let inner = view! {
        <input type="hidden" name="id" value=id />
        <input type="hidden" name="form[version]" value=move || ours.get().to_string() />
        {endpoint_fields(Fields { group: "form", post: change }, Some(&first.endpoint), &first.known)}
        <p class="note warn" hidden=move || !behind.get()>
            "This endpoint has been changed since you opened the page. Load it again before you save, or saving is refused."
        </p>
        {change.note()}
        <div class="acts"><button class="btn first" disabled=move || change.busy.get()>"Save"</button></div>
    };
    view! {
        <section aria-labelledby="settings">
            <h2 id="settings">"Settings"</h2>
            {change.form("form wide-form", inner.into_any())}
        </section>
    }
    .into_any()
}
