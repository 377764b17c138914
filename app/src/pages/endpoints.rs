//! Webhooks: the endpoints to which events are forwarded, and how each is.

use crate::{
    asking::{self, Got, Question, ask, part, screen},
    calls::endpoints::Endpoints,
    live::Refetch,
    parts::{
        empty::Empty,
        text,
        time::{Moment, use_clock},
        webhook_tabs::webhook_tabs,
        webhook_words::endpoint_badge,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{Endpoint, EndpointHealth, Role};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn EndpointsPage() -> impl IntoView {
    let refetch = Refetch::by_hand().every(Duration::from_secs(5));
    screen(ask(|| Question::Endpoints, refetch), |latest| {
        let clock = use_clock();
        let title = move || latest.with(|got| got.as_ref().and_then(Got::endpoints).map(sentence).unwrap_or_default());
        let list = part(latest, move |got| match got.endpoints() {
            Some(endpoints) => list(endpoints, clock.moment(endpoints.as_of)),
            None => ().into_any(),
        });
        view! {
            <Title text=asking::title(title) />
            {webhook_tabs("/webhooks/endpoints")}
            {list}
        }
        .into_any()
    })
}

fn sentence(answer: &Endpoints) -> String {
    let ill = answer
        .endpoints
        .iter()
        .filter(|endpoint| matches!(endpoint.health, EndpointHealth::Failing | EndpointHealth::Open))
        .count();
    match (answer.endpoints.len(), ill) {
        (0, _) => "Events are forwarded nowhere yet.".to_owned(),
        (1, 0) => "Events are forwarded to one endpoint.".to_owned(),
        (1, _) => "Events are forwarded to one endpoint, which does not take them.".to_owned(),
        (n, 0) => format!("Events are forwarded to {n} endpoints."),
        (n, 1) => format!("One of {n} endpoints does not take its events."),
        (n, ill) => format!("{ill} of {n} endpoints do not take their events."),
    }
}

fn list(answer: &Endpoints, now: Moment) -> AnyView {
    let may = answer.role >= Role::Admin;
    let items: Vec<_> = answer.endpoints.iter().map(|endpoint| one(endpoint, now)).collect();
    let text = "An endpoint is an address of one of your own applications. Every event that it asks for is sent there, signed, \
                and again for 24 hours until it arrives.";
    if items.is_empty() {
        return view! {
            <h1>{sentence(answer)}</h1>
            <Empty title="Add your first endpoint" text=text>
                {may.then(|| view! { <a class="btn first" href="/webhooks/endpoints/new">"Add an endpoint"</a> })}
            </Empty>
        }
        .into_any();
    }
    view! {
        <h1>{sentence(answer)}</h1>
        <div class="section-head">
            <h2>"Endpoints"</h2>
            {may.then(|| view! { <a class="btn" href="/webhooks/endpoints/new">"Add an endpoint"</a> })}
        </div>
        <ul class="endpoints">{items}</ul>
    }
    .into_any()
}

fn one(endpoint: &Endpoint, now: Moment) -> AnyView {
    let waits =
        (endpoint.waiting > 0).then(|| format!("{} wait", text::counted(endpoint.waiting, "delivery", "deliveries")));
    let error = endpoint.last_error.as_ref().map(|error| error.message.clone());
    view! {
        <li class="endpoint" data-endpoint=endpoint.id.to_string() data-health=endpoint.health.code()>
            <div>
                <p class="name"><a class="strong" href=format!("/webhooks/endpoints/{}", endpoint.id)>{endpoint.name.clone()}</a></p>
                <p class="sub"><code>{endpoint.url.clone()}</code></p>
                {error.map(|error| view! { <p class="muted">{error}</p> })}
            </div>
            <div class="endpoint-state">
                {endpoint_badge(endpoint.health)}
                <p class="sub">
                    {waits.map(|words| format!("{words} · "))}
                    {match endpoint.last_ok_at { Some(at) => view! { "last arrived "{now.ago(at)} }.into_any(), None => "nothing has arrived yet".into_any() }}
                </p>
            </div>
        </li>
    }
    .into_any()
}
