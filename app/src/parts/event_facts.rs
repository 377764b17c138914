//! The facts of one event beside its payload.

use super::{time::Moment, webhook_words::event_badge};
use crate::calls::events::EventStory;
use leptos::prelude::*;

/// A list of facts.
pub(crate) fn event_facts(story: &EventStory, now: Moment) -> AnyView {
    let event = &story.event.event;
    let connection = story.connection.clone().map(|connection| {
        view! { <dt>"Connection"</dt><dd><a href=format!("/connections/{}", connection.id)>{connection.name}</a></dd> }
            .into_any()
    });
    let its_id =
        event.webhook_id.clone().map(|id| view! { <dt>"Makini’s id"</dt><dd><code>{id}</code></dd> }.into_any());
    let happened = event.occurred_at.map(|at| view! { <dt>"Happened"</dt><dd>{now.ago(at)}</dd> }.into_any());
    view! {
        <dl class="facts">
            <dt>"State"</dt>
            <dd>{event_badge(event.state)}</dd>
            <dt>"Received"</dt>
            <dd>{now.ago(event.received_at)}</dd>
            {happened}
            {connection}
            <dt>"Source"</dt>
            <dd>{event.source.clone()}</dd>
            {its_id}
            <dt>"Came again"</dt>
            <dd>{match event.duplicates { 0 => "never".to_owned(), 1 => "once".to_owned(), n => format!("{n} times") }}</dd>
            <dt>"Our id"</dt>
            <dd><code>{event.id.to_string()}</code></dd>
        </dl>
        {event.maybe_repeat.then(|| view! { <p class="note">"It has neither an id nor a time, so it cannot be told from a repeat of one before."</p> })}
    }
    .into_any()
}
