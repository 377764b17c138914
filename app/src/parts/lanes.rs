//! Firings along the time, a lane for each subject, with the same as a table.

use super::{text, time::Moment};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Firing, Preview, Subject};
use std::collections::BTreeMap;

/// So many lanes; the others are counted.
const LANES: usize = 12;
/// A firing that was over sooner is noise.
const NOISE: i64 = 600;

/// Lanes, those with most first.
pub(crate) fn lanes(preview: &Preview, now: Moment) -> AnyView {
    let mut by: BTreeMap<&Subject, Vec<&Firing>> = BTreeMap::new();
    for firing in &preview.firings {
        by.entry(&firing.subject).or_default().push(firing);
    }
    let mut all: Vec<_> = by.into_iter().collect();
    all.sort_by_key(|(subject, firings)| (std::cmp::Reverse(firings.len()), subject.name.clone()));
    let more = all.len().saturating_sub(LANES);
    let lanes: Vec<_> = all.iter().take(LANES).map(|(subject, firings)| lane(preview, subject, firings)).collect();
    let rows: Vec<_> = preview.firings.iter().take(100).map(|firing| row(firing, preview.to, now)).collect();
    let others = (more > 0).then(
        || view! { <p class="faint">{format!("And {} more.", text::counted(more as u64, "subject", "subjects"))}</p> },
    );
    view! {
        <ul class="lanes" aria-label="Firings of each subject">{lanes}</ul>
        <div class="axis lanes-axis"><span>{format!("{} days ago", (preview.to - preview.from).num_days())}</span><span>"now"</span></div>
        {others}
        <details>
            <summary>"As a table"</summary>
            <div class="wide" tabindex="0" role="region" aria-label="Firings">
                <table class="plain">
                    <thead>
                        <tr><th scope="col">"For"</th><th scope="col">"From"</th><th scope="col" class="num">"Lasted"</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}

fn lasted(firing: &Firing, end: DateTime<Utc>) -> i64 {
    (firing.to.unwrap_or(end) - firing.from).num_seconds().max(0)
}

fn lane(preview: &Preview, subject: &Subject, firings: &[&Firing]) -> AnyView {
    let whole = (preview.to - preview.from).num_seconds().max(1);
    let place = |at: DateTime<Utc>| ((at - preview.from).num_seconds() * 1_000 / whole).clamp(0, 1_000);
    let one = |firing: &&Firing| {
        let x = place(firing.from);
        let width = (place(firing.to.unwrap_or(preview.to)) - x).max(4);
        let class = if lasted(firing, preview.to) < NOISE { "noise" } else { "real" };
        view! { <rect class=class x=x.to_string() y="0" width=width.to_string() height="14"></rect> }.into_any()
    };
    let pieces: Vec<_> = firings.iter().map(one).collect();
    let times = text::counted(firings.len() as u64, "time", "times");
    view! {
        <li>
            <span class="lane-name">{subject.name.clone()}</span>
            <svg viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label=format!("{}: {times}", subject.name)>{pieces}</svg>
            <span class="num">{firings.len()}</span>
        </li>
    }
    .into_any()
}

fn row(firing: &Firing, end: DateTime<Utc>, now: Moment) -> AnyView {
    let still = firing.to.is_none().then_some(", and still does");
    view! {
        <tr>
            <th scope="row">{firing.subject.name.clone()}</th>
            <td>{now.ago(firing.from)}</td>
            <td class="num">{text::span(lasted(firing, end))}{still}</td>
        </tr>
    }
    .into_any()
}
