//! Something that is being done with many connections: how far it is, what failed, and how to stop it.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::bulk::{BulkView, CancelBulk, ChangeBulk},
    live::Refetch,
    parts::{
        post::Post,
        text::{self, count},
        time::{Moment, use_clock},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{Bulk, BulkKind, BulkState, ChangeTopic};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn BulkPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch = Refetch::when(move |change| {
        change.topic == ChangeTopic::Retry && (change.id == "*" || id.with_untracked(|id| *id == change.id))
    });
    let asked = ask(move || Question::Bulk(id.get()), refetch.every(Duration::from_secs(15)));
    screen(asked, move |latest| full(latest, refetch))
}

fn what(bulk: &Bulk) -> &'static str {
    match bulk.kind {
        BulkKind::Check => "Checking",
        BulkKind::Sync => "Starting syncs of",
        BulkKind::Acknowledge => "Acknowledging the issues of",
        BulkKind::Assign => "Assigning the issues of",
    }
}

/// What is so, in a sentence.
fn sentence(bulk: &Bulk) -> String {
    let all = text::counted(bulk.total.unsigned_abs(), "connection", "connections");
    let ended = (bulk.total - bulk.remaining).max(0).unsigned_abs();
    match bulk.state {
        Some(BulkState::Done) if bulk.failed == 0 => format!("{} {all} is done.", what(bulk)),
        Some(BulkState::Done) => format!("{} {all} is done; {} failed.", what(bulk), count(bulk.failed.unsigned_abs())),
        Some(BulkState::Cancelled) => format!("{} {all} was cancelled after {}.", what(bulk), count(ended)),
        Some(BulkState::Paused) => format!("{} {all} is paused after {}.", what(bulk), count(ended)),
        _ => format!("{} {all}: {} so far.", what(bulk), count(ended)),
    }
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&BulkView, Moment) -> AnyView| {
        part(latest, move |got| match got.bulk() {
            Some(view) => draw(view, clock.moment(view.as_of)),
            None => ().into_any(),
        })
    };
    let state =
        Memo::new(move |_| latest.with(|got| got.as_ref().and_then(Got::bulk).and_then(|view| view.bulk.state)));
    let runs = move || matches!(state.get(), Some(BulkState::Running | BulkState::Paused));
    let id = move || {
        latest.with(|got| {
            got.as_ref().and_then(Got::bulk).and_then(|v| v.bulk.id).map(|id| id.to_string()).unwrap_or_default()
        })
    };
    let change = Post::new(ChangeBulk::PATH, "", move || refetch.nudge());
    let cancel = Post::new(CancelBulk::PATH, "", move || refetch.nudge());
    let pause = move || state.get() != Some(BulkState::Paused);
    let pausing = view! {
        <input type="hidden" name="id" value=id />
        <input type="hidden" name="state" value=move || if pause() { "paused" } else { "running" } />
        <button class="btn" disabled=move || change.busy.get()>{move || if pause() { "Pause" } else { "Resume" }}</button>
    };
    let cancelling = view! {
        <input type="hidden" name="id" value=id />
        <button class="btn danger" disabled=move || cancel.busy.get()>"Cancel the rest"</button>
    };
    let title =
        move || latest.with(|got| got.as_ref().and_then(Got::bulk).map(|v| sentence(&v.bulk)).unwrap_or_default());
    view! {
        <Title text=asking::title(title) />
        {part(head)}
        <div class="acts bulk-acts" hidden=move || !runs()>
            {change.form("", pausing.into_any())}
            {cancel.form("", cancelling.into_any())}
            <noscript><a class="btn" href="">"See how far it is"</a></noscript>
        </div>
        {change.note()}
        {cancel.note()}
        {part(failures)}
        <p class="page-foot"><a href="/connections">"See all connections"</a></p>
    }
    .into_any()
}

fn head(view: &BulkView, now: Moment) -> AnyView {
    let bulk = &view.bulk;
    let share = |n: i64| (n.max(0) * 1_000 / bulk.total.max(1)).to_string();
    let piece = |class: &'static str, from: i64, n: i64| {
        view! { <rect class=class x=share(from) width=share(n) height="10"></rect> }.into_any()
    };
    let figure = |class: &'static str, words: &'static str, n: i64| {
        view! { <li class=class><b>{count(n.unsigned_abs())}</b>" "{words}</li> }.into_any()
    };
    let label = format!(
        "{} of {} are through",
        count((bulk.total - bulk.remaining).unsigned_abs()),
        count(bulk.total.unsigned_abs())
    );
    view! {
        <h1 data-bulk=bulk.state.map(BulkState::code)>{sentence(bulk)}</h1>
        <p class="lede">
            "Started by "{bulk.by.clone()}
            {bulk.started_at.map(|at| view! { " "{now.ago(at)} })}
            {bulk.ended_at.map(|at| view! { "; ended "{now.ago(at)} })}
            "."
        </p>
        <svg class="progress" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=label>
            {piece("done", 0, bulk.done)}
            {piece("skipped", bulk.done, bulk.skipped)}
            {piece("failed", bulk.done + bulk.skipped, bulk.failed)}
        </svg>
        <ul class="legend progress-key">
            {figure("done", "done", bulk.done)}
            {figure("failed", "failed", bulk.failed)}
            {figure("skipped", "left out: nothing to do", bulk.skipped)}
            {figure("", "to do", bulk.remaining)}
        </ul>
    }
    .into_any()
}

fn failures(view: &BulkView, _now: Moment) -> AnyView {
    let bulk = &view.bulk;
    if bulk.failures.is_empty() {
        return ().into_any();
    }
    let one = |failure: &model::BulkFailure| {
        let connection = &failure.connection;
        view! { <li><a href=format!("/connections/{}", connection.id)>{connection.name.clone()}</a><span class="muted">{failure.message.clone()}</span></li> }.into_any()
    };
    let more = bulk.failed - bulk.failures.len() as i64;
    view! {
        <section aria-labelledby="failed">
            <h2 id="failed">"Failed"</h2>
            <ul class="plain-list failed-list">{bulk.failures.iter().map(one).collect::<Vec<_>>()}</ul>
            {(more > 0).then(|| view! { <p class="faint">{format!("And {} more.", count(more.unsigned_abs()))}</p> })}
        </section>
    }
    .into_any()
}
