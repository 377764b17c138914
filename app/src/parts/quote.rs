//! A problem as text: for a ticket, and for Makini's support; with the facts behind it one click away.

use super::{
    text,
    time::{self, Moment},
};
use crate::calls::connections::Story;
use leptos::prelude::*;

/// The problem for a ticket of one's own.
pub(crate) fn ticket(story: &Story, now: Moment) -> String {
    let detail = &story.detail;
    let c = &detail.connection;
    let (who, is, rest) = text::headline(c);
    let mut lines =
        vec![format!("{who} {is}{rest}"), format!("Since: {} ({})", now.exact(c.since), time::ago(now.age(c.since)))];
    if let Some(cause) = &c.cause {
        lines.push(format!("Why: {}. {}", cause.code.words(), cause.summary));
        lines.push(format!("Who must act: {}. {}", cause.actor.words(), cause.code.next_step()));
    }
    match c.proof {
        Some(proof) => lines.push(format!("Known by: {} at {}", proof.eye.words(), now.exact(proof.at))),
        None => lines.push("Known by: nothing proves it right now".to_owned()),
    }
    lines.push(format!("Last good sync: {}", c.last_good_sync_at.map_or("none yet".to_owned(), |at| now.exact(at))));
    lines.extend(detail.upstream_error.as_ref().map(|error| format!("Makini's error: {error}")));
    lines.push(format!(
        "Customer: {} · System: {} · Source: {} · Key: {}",
        c.customer.name, c.platform.name, c.source.name, c.key
    ));
    lines.join("\n")
}

/// What Makini's support needs: the key, the error with its request id, and times in UTC.
pub(crate) fn makini(story: &Story, _: Moment) -> String {
    let detail = &story.detail;
    let c = &detail.connection;
    let mut lines = vec![format!("Connection: {} ({}, {})", c.key, c.platform.name, c.source.environment.words())];
    lines.extend(c.raw_status.as_ref().map(|raw| format!("Status in your API: {raw}")));
    lines.extend(detail.upstream_error.as_ref().map(|error| format!("Newest error, with its request id: {error}")));
    lines.push(format!("So since: {}", time::utc(c.since)));
    lines.push(format!("Last good sync: {}", c.last_good_sync_at.map_or("none yet".to_owned(), time::utc)));
    let newest = detail.webhooks.and_then(|pulse| pulse.last_at);
    lines.extend(newest.map(|at| format!("Last webhook: {}", time::utc(at))));
    lines.extend(c.proof.map(|proof| format!("Last asked: {}", time::utc(proof.at))));
    lines.join("\n")
}

/// When to ask Makini and what to quote, and the codes behind the words; closed until somebody wants it.
pub(crate) fn facts(story: &Story) -> AnyView {
    let c = &story.detail.connection;
    let Some(cause) = c.cause.as_ref().filter(|_| story.detail.removed_at.is_none()) else { return ().into_any() };
    let text = makini(story, Moment { now: story.as_of, local: false });
    let row = |name: &'static str, code: &'static str| view! { <dt>{name}</dt><dd><code>{code}</code></dd> }.into_any();
    view! {
        <details class="behind">
            <summary>"What to quote to Makini’s support, and the facts behind this"</summary>
            <p class="help">{cause.code.play().ask_makini}</p>
            <pre tabindex="0">{text}</pre>
            <dl class="facts">
                {row("Cause", cause.code.code())}
                {row("Who must act", cause.actor.code())}
                {row("Authorization", c.authorization.code())}
                {row("Data flow", c.data_flow.code())}
            </dl>
        </details>
    }
    .into_any()
}
