//! Settings: what Makini could not deliver to a source, where it tells.

use crate::{
    asking::{Got, Latest},
    asking::{Question, ask, part, screen},
    calls::retention::{MakiniDeliveries, RetryMakiniDelivery},
    live::Refetch,
    parts::{
        post::Post,
        text::{self, encode},
        time::{Moment, use_clock},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{MakiniDelivery, Role};

/// The screen.
#[component]
pub(crate) fn MakiniDeliveriesPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let cursor = Memo::new(move |_| query.with(|query| query.get("cursor")));
    let refetch = Refetch::by_hand();
    let question = move || Question::MakiniDeliveries { id: id.get(), cursor: cursor.get() };
    screen(ask(question, refetch), move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let retry = Post::new(RetryMakiniDelivery::PATH, "Makini was asked to deliver it again.", move || refetch.nudge());
    let (id, source) = latest
        .with_untracked(|got| {
            got.as_ref().and_then(Got::makini_deliveries).map(|m| (m.id.to_string(), m.source.clone()))
        })
        .unwrap_or_default();
    let list = part(latest, move |got| match got.makini_deliveries() {
        Some(answer) => list(answer, retry, clock.moment(answer.as_of)),
        None => ().into_any(),
    });
    view! {
        <Title text="What Makini could not deliver" />
        <nav class="crumbs" aria-label="You are here">
            <a href="/settings">"Sources"</a>
            <span aria-hidden="true">" / "</span>
            <a href=format!("/settings/sources/{id}")>{source}</a>
            <span aria-hidden="true">" / "</span>
            <span>"What Makini could not deliver"</span>
        </nav>
        <h1>"What Makini could not deliver."</h1>
        <p class="lede">"Webhooks that Makini made and could not bring to this door, as Makini tells it. The states of the connections are repaired by polling all the same."</p>
        {retry.form_with_id("retry-makini", "", view! { <input type="hidden" name="id" value=id /> }.into_any())}
        {retry.note()}
        {list}
    }
    .into_any()
}

fn list(answer: &MakiniDeliveries, retry: Post, now: Moment) -> AnyView {
    if let Some(why) = &answer.silent {
        return view! { <p class="note">{why.clone()}</p> }.into_any();
    }
    if answer.page.items.is_empty() {
        return view! { <p class="note good">"Makini says that every webhook was delivered."</p> }.into_any();
    }
    let may = answer.role >= Role::Support;
    let items: Vec<_> = answer.page.items.iter().map(|one| item(one, retry, may, now)).collect();
    let at = |cursor: &str| format!("/settings/sources/{}/deliveries?cursor={}", answer.id, encode(cursor));
    let next = answer
        .page
        .next_cursor
        .as_deref()
        .map(|cursor| view! { <a class="btn" rel="next" href=at(cursor)>"Older"</a> }.into_any());
    view! {
        <ul class="plain-list deliveries">{items}</ul>
        <div class="acts">{next}</div>
    }
    .into_any()
}

fn item(one: &MakiniDelivery, retry: Post, may: bool, now: Moment) -> AnyView {
    let connection = match (&one.connection, &one.connection_key) {
        (Some(connection), _) => {
            view! { <a href=format!("/connections/{}", connection.id)>{connection.name.clone()}</a> }.into_any()
        }
        (None, Some(key)) => view! { <code>{key.clone()}</code> }.into_any(),
        (None, None) => ().into_any(),
    };
    let tries = text::counted(one.attempts_count.into(), "try", "tries");
    let button = may.then(|| {
        view! {
            <button class="btn small" form="retry-makini" name="delivery" value=one.id.clone() disabled=move || retry.busy.get()>
                "Ask Makini to deliver it again"
            </button>
        }
        .into_any()
    });
    view! {
        <li data-makini=one.id.clone()>
            <span class="strong">{one.kind.clone()}</span>
            {connection}
            <span class="sub">
                {one.created_at.map(|at| view! { {now.ago(at)}" · " })}
                {one.status.clone()}" · "{tries}
                {one.next_attempt_at.map(|at| view! { ", next "{now.until(at)} })}
            </span>
            {one.error.clone().map(|error| view! { <span class="muted">{error}</span> })}
            {button}
        </li>
    }
    .into_any()
}
