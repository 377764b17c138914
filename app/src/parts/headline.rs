//! One connection in a sentence or two: what, since when, why; and whose it is.

use super::{mark::mark, text, time::Moment};
use crate::calls::connections::Story;
use leptos::prelude::*;

/// What, since when, why.
pub(crate) fn headline(story: &Story, now: Moment) -> AnyView {
    let detail = &story.detail;
    let c = &detail.connection;
    let (who, is, rest) = text::headline(c);
    let why = c.cause.as_ref().map(|cause| format!(" {}", sentence(&cause.summary)));
    let gone = detail.removed_at.map(|at| {
        view! { <p class="note">"It was removed upstream "{now.ago(at)}". Its history stays."</p> }.into_any()
    });
    let fed = c.real_time.and_then(|pulse| pulse.last_at);
    let stopped = c
        .last_good_sync_at
        .max(fed)
        .filter(|_| c.health.needs_attention())
        .map(|at| view! { " Data last arrived "{now.ago(at)}"." }.into_any());
    view! {
        <div class=format!("headline {}", c.health) data-connection=c.id.to_string() data-health=c.health.code()>
            <h1>{mark(c.health)}{who}" "<em>{is}</em>{rest}</h1>
            <p class="lede">"For "{now.since(c.since)}" now."{why}{stopped}</p>
        </div>
        {gone}
    }
    .into_any()
}

/// The way back: all connections, and the customer's.
pub(crate) fn crumbs(story: &Story, _: Moment) -> AnyView {
    let c = &story.detail.connection;
    view! {
        <nav class="crumbs" aria-label="You are here">
            <a href="/connections">"Connections"</a>
            <span aria-hidden="true">" / "</span>
            <a href=format!("/customers/{}", c.customer.id)>{c.customer.name.clone()}</a>
            <span aria-hidden="true">" / "</span>
            <span>{c.platform.name.clone()}</span>
        </nav>
    }
    .into_any()
}

/// Ends a text as a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
