//! Deliveries, one an item: where each stands, its attempts, and a button to try it now.

use super::{attempts, post::Post, time::Moment, webhook_words::delivery_badge};
use leptos::prelude::*;
use model::{Delivery, DeliveryState};

/// What a list of deliveries says of each.
#[derive(Clone, Copy)]
pub(crate) struct Shows {
    /// Tries one again; none where the person may not.
    pub retry: Option<Post>,
    /// The endpoint's name leads, not the event's kind.
    pub by_endpoint: bool,
    /// The attempts, too.
    pub attempts: bool,
}

/// The list.
pub(crate) fn deliveries(all: &[Delivery], shows: Shows, now: Moment) -> AnyView {
    let items: Vec<_> = all.iter().map(|one| item(one, shows, now)).collect();
    view! { <ul class="plain-list deliveries">{items}</ul> }.into_any()
}

fn item(delivery: &Delivery, shows: Shows, now: Moment) -> AnyView {
    let id = delivery.id.to_string();
    let name = if shows.by_endpoint {
        view! { <a class="strong" href=format!("/webhooks/endpoints/{}", delivery.endpoint_id)>{delivery.endpoint.clone()}</a> }.into_any()
    } else {
        let kind = delivery.kind.clone().unwrap_or_else(|| "Event without a kind".to_owned());
        view! { <a class="strong" href=format!("/webhooks/events/{}", delivery.event_id)>{kind}</a> }.into_any()
    };
    let tries = delivery.attempts.len();
    let due = delivery.due_at.map(|at| view! { ", next try "{now.until(at)} }.into_any());
    let last = delivery.attempts.last().and_then(|sent| sent.attempt.error.clone());
    let resting = matches!(delivery.state, DeliveryState::Failed | DeliveryState::Pending | DeliveryState::Waiting);
    let retry = shows.retry.filter(|_| resting).map(|post| {
        view! {
            <button class="btn small" form="retry-one" name="thing" value=format!("delivery:{id}") disabled=move || post.busy.get()>
                "Retry"
            </button>
        }
        .into_any()
    });
    let open = (delivery.state == DeliveryState::Failed)
        .then(|| view! { <a href=format!("/webhooks?open=delivery%3A{id}")>"Compare its attempts"</a> }.into_any());
    view! {
        <li data-delivery=id.clone() data-state=delivery.state.code()>
            {delivery_badge(delivery.state)}
            {name}
            <span class="sub">{now.ago(delivery.received_at)}{format!(" · {tries} of 13 tries")}{due}</span>
            {last.filter(|_| delivery.state != DeliveryState::Done).map(|error| view! { <span class="muted">{error.message}</span> })}
            {open}
            {retry}
            {shows.attempts.then(|| attempts::sent(&delivery.attempts, now))}
        </li>
    }
    .into_any()
}

/// The form to which every button of the lists on a page belongs.
pub(crate) fn retry_form(post: Post) -> AnyView {
    view! { {post.form_with_id("retry-one", "", ().into_any())}{post.note()} }.into_any()
}
