//! Many failures being tried again: how far it is, what failed again, and how to stop it.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::retries::{CancelRetry, ChangeRetry, RetryView},
    live::Refetch,
    parts::{
        post::Post,
        retry_progress::{errors, filters, head, sentence},
        time::{Moment, use_clock},
        webhook_tabs::crumbs,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{BulkState, ChangeTopic, Role};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn RetryPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch = Refetch::when(move |change| {
        change.topic == ChangeTopic::Retry && (change.id == "*" || id.with_untracked(|id| *id == change.id))
    });
    let asked = ask(move || Question::Retry(id.get()), refetch.every(Duration::from_secs(5)));
    screen(asked, move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&RetryView, Moment) -> AnyView| {
        part(latest, move |got| match got.retry() {
            Some(view) => draw(view, clock.moment(view.as_of)),
            None => ().into_any(),
        })
    };
    let state = Memo::new(move |_| {
        let view = |got: &Option<Got>| got.as_ref().and_then(Got::retry).map(|view| (view.state, view.role));
        latest.with(view)
    });
    let runs = move || matches!(state.get(), Some((Some(BulkState::Running | BulkState::Paused), role)) if role >= Role::Support);
    let id = move || {
        latest.with(|got| {
            got.as_ref().and_then(Got::retry).and_then(|v| v.id).map(|id| id.to_string()).unwrap_or_default()
        })
    };
    let change = Post::new(ChangeRetry::PATH, "", move || refetch.nudge());
    let cancel = Post::new(CancelRetry::PATH, "", move || refetch.nudge());
    let pause = move || state.get().is_none_or(|(state, _)| state != Some(BulkState::Paused));
    let pausing = view! {
        <input type="hidden" name="id" value=id />
        <input type="hidden" name="state" value=move || if pause() { "paused" } else { "running" } />
        <button class="btn" disabled=move || change.busy.get()>{move || if pause() { "Pause" } else { "Resume" }}</button>
    };
    let cancelling = view! {
        <input type="hidden" name="id" value=id />
        <button class="btn danger" disabled=move || cancel.busy.get()>"Cancel the rest"</button>
    };
    let title = move || latest.with(|got| got.as_ref().and_then(Got::retry).map(sentence).unwrap_or_default());
    view! {
        <Title text=asking::title(title) />
        {crumbs("/webhooks", "Failed", "Retry".to_owned())}
        {part(head)}
        <div class="acts bulk-acts" hidden=move || !runs()>
            {change.form("", pausing.into_any())}
            {cancel.form("", cancelling.into_any())}
            <noscript><a class="btn" href="">"See how far it is"</a></noscript>
        </div>
        {change.note()}
        {cancel.note()}
        {part(errors)}
        <section aria-labelledby="which">
            <h2 id="which">"Which"</h2>
            {part(|view, _| filters(view))}
        </section>
        <p class="page-foot"><a href="/webhooks">"See everything that failed"</a></p>
    }
    .into_any()
}
