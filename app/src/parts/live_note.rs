//! Whether the page is live, and since when its data stands if it is not.

use super::time::use_clock;
use crate::live::{Link, use_live};
use leptos::prelude::*;

/// The small sign in the frame.
#[component]
pub(crate) fn LiveSign() -> impl IntoView {
    let live = use_live();
    let sign = move || match live.link() {
        Link::Waiting => ("beat", "Not live yet"),
        Link::Live => ("beat on", "Live"),
        Link::Lost(_) => ("beat off", "Not live"),
    };
    view! {
        <span class="live-sign">
            <i class=move || sign().0 aria-hidden="true"></i>
            {move || sign().1}
        </span>
    }
}

/// The banner for when nothing arrives any more.
#[component]
pub(crate) fn LostBanner() -> impl IntoView {
    let (live, clock) = (use_live(), use_clock());
    let text = move || match live.link() {
        Link::Lost(since) => {
            let exact = clock.moment(since).exact(since);
            format!(
                "Live updates have stopped. What you see stands as of {exact}. Linewatch keeps trying; nothing has to be done."
            )
        }
        _ => String::new(),
    };
    view! {
        <div class="lost" role="status" aria-live="polite" hidden=move || !matches!(live.link(), Link::Lost(_))>
            {text}
        </div>
    }
}
