//! How far the retrying of many is.

use super::{
    text::{self, count},
    time::Moment,
};
use crate::calls::retries::RetryView;
use leptos::prelude::*;
use model::BulkState;

/// So many of whatever they are.
pub(crate) fn all(view: &RetryView) -> String {
    let of = |kind: &str| view.filter.iter().any(|(name, kinds)| name == "kind" && kinds.as_slice() == [kind]);
    let n = view.total.unsigned_abs();
    if of("delivery") {
        text::counted(n, "delivery", "deliveries")
    } else if of("processing") {
        text::counted(n, "event", "events")
    } else if of("notification") {
        text::counted(n, "message", "messages")
    } else {
        text::counted(n, "failure", "failures")
    }
}

/// What is so, in a sentence.
pub(crate) fn sentence(view: &RetryView) -> String {
    let all = all(view);
    let ended = count((view.total - view.remaining).max(0).unsigned_abs());
    match view.state {
        Some(BulkState::Done) if view.failed == 0 => format!("Retrying {all} is done."),
        Some(BulkState::Done) => {
            format!("Retrying {all} is done; {} failed again.", count(view.failed.unsigned_abs()))
        }
        Some(BulkState::Cancelled) => {
            let were = if view.let_go == 1 { "was" } else { "were" };
            let gone = count(view.let_go.unsigned_abs());
            format!("Retrying {all} was cancelled: {gone} {were} already let go when it was cancelled.")
        }
        Some(BulkState::Paused) => format!("Retrying {all} is paused after {ended}."),
        _ => format!("Retrying {all}, {} a second: {ended} so far.", count(view.rate.into())),
    }
}

/// The sentence, the bar and its figures.
pub(crate) fn head(view: &RetryView, now: Moment) -> AnyView {
    let share = |n: i64| (n.max(0) * 1_000 / view.total.max(1)).to_string();
    let piece = |class: &'static str, from: i64, n: i64| {
        view! { <rect class=class x=share(from) width=share(n) height="10"></rect> }.into_any()
    };
    let figure = |class: &'static str, words: &'static str, n: i64| {
        view! { <li class=class><b>{count(n.unsigned_abs())}</b>" "{words}</li> }.into_any()
    };
    let over = view.state == Some(BulkState::Cancelled);
    let under_way = view.let_go - view.done - view.failed;
    let label = format!(
        "{} of {} are through",
        count((view.total - view.remaining).unsigned_abs()),
        count(view.total.unsigned_abs())
    );
    view! {
        <h1 data-retry=view.state.map(BulkState::code)>{sentence(view)}</h1>
        <p class="lede">
            "Started by "{view.by.clone()}
            {view.started_at.map(|at| view! { " "{now.ago(at)} })}
            {view.ended_at.map(|at| view! { "; ended "{now.ago(at)} })}
            "."
        </p>
        <svg class="progress" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=label>
            {piece("done", 0, view.done)}
            {piece("skipped", view.done, view.skipped)}
            {piece("failed", view.done + view.skipped, view.failed)}
        </svg>
        <ul class="legend progress-key">
            {figure("done", "arrived, processed or sent", view.done)}
            {figure("failed", "failed again", view.failed)}
            {figure("skipped", "left out: done or under way already", view.skipped)}
            {(over && under_way > 0).then(|| figure("", "let go and under way", under_way))}
            {if over { figure("", "not let go", view.remaining - under_way) } else { figure("", "to do", view.remaining) }}
        </ul>
    }
    .into_any()
}

/// Why those that failed again did.
pub(crate) fn errors(view: &RetryView, _now: Moment) -> AnyView {
    if view.errors.is_empty() {
        return ().into_any();
    }
    let one = |error: &model::RetryError| {
        view! { <li><b>{count(error.count.unsigned_abs())}</b><span>{error.message.clone()}</span></li> }.into_any()
    };
    view! {
        <section aria-labelledby="failed">
            <h2 id="failed">"Failed again"</h2>
            <ul class="plain-list failed-list">{view.errors.iter().map(one).collect::<Vec<_>>()}</ul>
        </section>
    }
    .into_any()
}

/// What is meant, filter by filter.
pub(crate) fn filters(view: &RetryView) -> AnyView {
    if view.filter.is_empty() {
        return view! { <p class="muted">"Everything that failed and can be tried again."</p> }.into_any();
    }
    let one = |(name, values): &(String, Vec<String>)| {
        let words = match (name.as_str(), values.as_slice()) {
            ("kind", _) => "Kind",
            ("endpoint", _) => "Endpoint",
            ("connection", _) => "Connection",
            ("source", _) => "Source",
            ("error", _) => "Error",
            ("since", _) => "Since",
            ("until", _) => "Until",
            ("q", _) => "With the text",
            ("path", _) => "At",
            _ => "Chosen",
        };
        let link = |base: &str, id: &String| view! { <a href=format!("{base}/{id}")>"this one"</a> }.into_any();
        let said = match (name.as_str(), values.as_slice()) {
            ("id", ids) => text::counted(ids.len() as u64, "row", "rows").into_any(),
            ("endpoint", [id]) => link("/webhooks/endpoints", id),
            ("connection", [id]) => link("/connections", id),
            (_, values) => values.join(", ").into_any(),
        };
        view! { <dt>{words}</dt><dd>{said}</dd> }.into_any()
    };
    view! { <dl class="facts retry-filters">{view.filter.iter().map(one).collect::<Vec<_>>()}</dl> }.into_any()
}
