//! How far something is that is done with many connections.

use super::{
    issue_rows::taken_back,
    text::{self, count},
    time::Moment,
};
use crate::calls::bulk::BulkView;
use leptos::prelude::*;
use model::{Bulk, BulkKind, BulkState};

fn what(bulk: &Bulk) -> &'static str {
    match bulk.kind {
        BulkKind::Check => "Checking",
        BulkKind::Sync => "Starting syncs of",
        BulkKind::Acknowledge => "Acknowledging the issues of",
        BulkKind::Assign => "Assigning the issues of",
    }
}

/// What is so, in a sentence.
pub(crate) fn sentence(bulk: &Bulk) -> String {
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

/// The sentence, the bar and its figures.
pub(crate) fn head(view: &BulkView, now: Moment) -> AnyView {
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
        {bulk.undone.as_ref().map(|undone| view! {
            <p class="note" role="status">{taken_back(undone)}" – "{undone.by.clone()}", "{now.ago(undone.at)}"."</p>
        })}
        <ul class="legend progress-key">
            {figure("done", "done", bulk.done)}
            {figure("failed", "failed", bulk.failed)}
            {figure("skipped", "left out: nothing to do", bulk.skipped)}
            {figure("", "to do", bulk.remaining)}
        </ul>
    }
    .into_any()
}

/// Those that failed, each with the way to it.
pub(crate) fn failures(view: &BulkView, _now: Moment) -> AnyView {
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
