//! What happened to a connection, newest first, a page at a time.

use super::{looking::Looking, mark::mark, time::Moment};
use leptos::prelude::*;
use model::{Page, TimelineItem, TimelineKind};

/// The page of the timeline that the address asks for.
pub(crate) fn timeline(page: &Page<TimelineItem>, looking: &Looking, now: Moment) -> AnyView {
    if page.items.is_empty() {
        return view! { <p class="faint">"Nothing has happened to it yet."</p> }.into_any();
    }
    let items: Vec<_> = page.items.iter().map(|one| item(one, now)).collect();
    let at = |older| Looking { older, ..looking.clone() }.address("timeline");
    let next = page
        .next_cursor
        .clone()
        .map(|cursor| view! { <a class="btn" rel="next" href=at(Some(cursor))>"Older"</a> }.into_any());
    let first = looking.older.is_some().then(|| view! { <a class="btn quiet" href=at(None)>"Newest"</a> }.into_any());
    view! {
        <ol class="log">{items}</ol>
        <div class="acts">{first}{next}</div>
    }
    .into_any()
}

fn item(item: &TimelineItem, now: Moment) -> AnyView {
    let sign = match (item.kind, item.to) {
        (TimelineKind::Transition, Some(health)) => mark(health),
        (kind, _) => view! { <i class=format!("sign {kind}") aria-hidden="true"></i> }.into_any(),
    };
    let under: Vec<_> = [Some(item.kind.words()), item.eye.map(|eye| eye.words())].into_iter().flatten().collect();
    let cause = item
        .cause
        .as_ref()
        .filter(|cause| !item.text.contains(&cause.summary))
        .map(|cause| format!(" · {}", cause.summary));
    view! {
        <li class="with-mark">
            {sign}
            <div>
                <p class=if item.kind == TimelineKind::Transition { "strong" } else { "" }>{item.text.clone()}</p>
                <p class="sub">{under.join(" · ")}{cause}</p>
            </div>
            <span class="when">{now.ago(item.at)}</span>
        </li>
    }
    .into_any()
}
