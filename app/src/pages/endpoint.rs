//! One endpoint: how it is, what did not reach it, its secret, and everything that can be set.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::{endpoints::EndpointStory, failures::RetryOne},
    live::Refetch,
    parts::{
        delivery_list::{Shows, deliveries, retry_form},
        endpoint_acts::{acts, told},
        endpoint_settings::{facts, settings},
        failed_query::{Asks, retry_address},
        post::Post,
        since_form::since_form,
        text,
        time::{Moment, iso, use_clock},
        webhook_tabs::crumbs,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{Delivery, EndpointHealth, FailureKind, FailureQuery, Role};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn EndpointPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch = Refetch::when(move |change| id.with_untracked(|id| *id == change.id)).every(Duration::from_secs(5));
    screen(ask(move || Question::Endpoint(id.get()), refetch), move |latest| full(latest, refetch))
}

/// How it is, in a sentence.
fn sentence(story: &EndpointStory) -> String {
    let endpoint = &story.endpoint;
    let waits = match endpoint.waiting {
        0 => String::new(),
        n => format!(" {} wait.", text::counted(n, "delivery", "deliveries")),
    };
    let is = match endpoint.health {
        EndpointHealth::Healthy if endpoint.last_ok_at.is_none() => "has not been sent anything yet",
        EndpointHealth::Healthy => "takes its events",
        EndpointHealth::Failing => "did not take its last event",
        EndpointHealth::Open => "is not reached",
        EndpointHealth::Disabled => "is switched off",
    };
    format!("{} {is}.{waits}", endpoint.name)
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&EndpointStory, Moment) -> AnyView| {
        part(latest, move |got| match got.endpoint() {
            Some(story) => draw(story, clock.moment(story.as_of)),
            None => ().into_any(),
        })
    };
    let Some(first) = latest.with_untracked(|got| got.as_ref().and_then(Got::endpoint).cloned()) else {
        return ().into_any();
    };
    let retry = Post::new(RetryOne::PATH, "It is tried now.", move || refetch.nudge());
    let list = move |of: fn(&EndpointStory) -> &[Delivery], none: &'static str| {
        asking::part(latest, move |got| match got.endpoint() {
            Some(story) if of(story).is_empty() => view! { <p class="faint">{none}</p> }.into_any(),
            Some(story) => {
                let retry = (story.role >= Role::Support).then_some(retry);
                deliveries(of(story), Shows { retry, by_endpoint: false, attempts: false }, clock.moment(story.as_of))
            }
            None => ().into_any(),
        })
    };
    let title = move || latest.with(|got| got.as_ref().and_then(Got::endpoint).map(sentence).unwrap_or_default());
    let saved = use_query_map();
    let saved = move || saved.with(|query| query.get_str("saved").is_some());
    view! {
        <Title text=asking::title(title) />
        {crumbs("/webhooks/endpoints", "Endpoints", first.endpoint.name.clone())}
        {part(|story, _| view! { <h1 data-endpoint=story.endpoint.id.to_string() data-health=story.endpoint.health.code()>{sentence(story)}</h1> }.into_any())}
        <p class="note good" role="status" hidden=move || !saved()>"Saved."</p>
        {told(latest)}
        <div class="cols">
            <div>
                <section aria-labelledby="failed">
                    <div class="section-head"><h2 id="failed">"Failed"</h2>{part(since)}</div>
                    {(first.role >= Role::Support).then(|| since_form(first.endpoint.id))}
                    {retry_form(retry)}
                    {list(|story| &story.failed, "Nothing has failed for good.")}
                </section>
                <section aria-labelledby="recent">
                    <h2 id="recent">"Recent"</h2>
                    {list(|story| &story.recent, "Nothing has been sent yet.")}
                </section>
                {acts(latest, first.endpoint.id, refetch)}
                {settings(&first, latest)}
            </div>
            <aside aria-label="Facts">{part(facts)}</aside>
        </div>
    }
    .into_any()
}

/// Everything that failed for it, since the oldest that is shown: two clicks.
fn since(story: &EndpointStory, now: Moment) -> AnyView {
    let Some(oldest) = story.failed.last() else { return ().into_any() };
    let query = FailureQuery {
        kind: vec![FailureKind::Delivery],
        endpoint: Some(story.endpoint.id),
        ..FailureQuery::default()
    };
    let list = Asks { query: query.clone(), ..Asks::default() }.change(|_| ());
    let query = FailureQuery { since: Some(oldest.received_at), ..query };
    let retry = (story.role >= Role::Support)
        .then(|| view! { <a class="btn" href=retry_address(&query)>"Retry everything failed since "<time datetime=iso(oldest.received_at)>{now.exact(oldest.received_at)}</time>"…"</a> }.into_any());
    view! { <div class="acts"><a href=list>"All that failed"</a>{retry}</div> }.into_any()
}
