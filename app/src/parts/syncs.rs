//! The syncs of a connection that ended, newest first.

use super::{evidence::said_by, looking::Looking, text, time::Moment};
use leptos::prelude::*;
use model::{Page, Sync, SyncOutcome};

/// A page of them, as a table.
pub(crate) fn syncs(page: &Page<Sync>, looking: &Looking, now: Moment) -> AnyView {
    if page.items.is_empty() {
        let words = "No sync has ended yet since Linewatch watches it. Each one is listed here with how long it took and what it carried.";
        return view! { <p class="faint">{words}</p> }.into_any();
    }
    let rows: Vec<_> = page.items.iter().map(|sync| row(sync, now)).collect();
    let at = |synced| Looking { synced, ..looking.clone() }.address("syncs");
    let next = page
        .next_cursor
        .clone()
        .map(|cursor| view! { <a class="btn" rel="next" href=at(Some(cursor))>"Older syncs"</a> }.into_any());
    let first =
        looking.synced.is_some().then(|| view! { <a class="btn quiet" href=at(None)>"Newest syncs"</a> }.into_any());
    view! {
        <div class="wide" tabindex="0" role="region" aria-labelledby="syncs">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"Ended"</th>
                        <th scope="col">"How"</th>
                        <th scope="col">"Read"</th>
                        <th scope="col" class="num">"Took"</th>
                        <th scope="col" class="num">"Records"</th>
                        <th scope="col">"Told by"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <div class="acts">{first}{next}</div>
    }
    .into_any()
}

fn row(sync: &Sync, now: Moment) -> AnyView {
    let unsaid = || "–".to_owned();
    let class = if sync.outcome == SyncOutcome::Failed { "bad" } else { "" };
    let error = sync.error.clone().map(|error| view! { <span class="sub because">{error}</span> }.into_any());
    view! {
        <tr>
            <th scope="row">{now.ago(sync.ended_at)}</th>
            <td><span class=class>{sync.outcome.words()}</span>{error}</td>
            <td>{sync.kind.map_or_else(unsaid, |kind| kind.words().to_owned())}</td>
            <td class="num">{took(sync).unwrap_or_else(unsaid)}</td>
            <td class="num">{records(sync).unwrap_or_else(unsaid)}</td>
            <td title=said_by(sync.eye)>{sync.eye.words()}</td>
        </tr>
    }
    .into_any()
}

fn took(sync: &Sync) -> Option<String> {
    sync.started_at.map(|started| text::span((sync.ended_at - started).num_seconds().max(0)))
}

fn records(sync: &Sync) -> Option<String> {
    sync.records.map(|records| text::count(records.max(0).unsigned_abs()))
}

/// What a sync carried and how long it took, as the end of a sentence.
pub(crate) fn carried(sync: &Sync) -> String {
    let records = records(sync).map(|records| format!(" with {records} records"));
    let took = took(sync).map(|took| format!(" after {took}"));
    let error = sync.error.as_ref().map(|error| format!(" ({error})"));
    [records, took, error].into_iter().flatten().collect()
}
