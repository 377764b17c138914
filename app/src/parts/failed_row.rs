//! One failure as a row; on a narrow screen the same row is a card.

use super::{
    failed_query::{Asks, address},
    mark::badge_saying,
    picks::Picks,
    text::encode,
    time::Moment,
    webhook_words::{failure_health, kind_words},
};
use leptos::prelude::*;
use model::{Failure, Health, Role};

/// How a row is shown.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// What is selected.
    pub picks: Picks,
    /// What the person may do.
    pub role: Role,
    /// It is no failure any more.
    pub over: bool,
}

/// The address of the list with this failure open beside it.
fn opened(asks: &Asks, failure: &Failure) -> String {
    let list = address(asks);
    let sign = if list.contains('?') { '&' } else { '?' };
    format!("{list}{sign}open={}", encode(&format!("{}:{}", failure.kind, failure.id)))
}

/// A row; `here` says whether it is the one that is open.
pub(crate) fn row(
    failure: &Failure,
    moved: &str,
    now: Moment,
    asks: &Asks,
    way: Way,
    here: impl Fn() -> bool + Copy + Send + Sync + 'static,
) -> AnyView {
    let thing = format!("{}:{}", failure.kind, failure.id);
    let what = failure.what.clone().unwrap_or_else(|| kind_words(failure.kind).to_owned());
    let whose = failure.connection.as_ref().map(|connection| connection.name.clone());
    let place = match (&failure.endpoint, &failure.channel, &failure.source) {
        (Some(endpoint), ..) => Some(format!("to {}", endpoint.name)),
        (None, Some(channel), _) => Some(format!("by {}", channel.name)),
        (None, None, Some(source)) => Some(format!("from {source}")),
        (None, None, None) => None,
    };
    let (health, words) = if way.over {
        (Health::Healthy, "No longer failed")
    } else {
        (failure_health(failure), kind_words(failure.kind))
    };
    let next = match (way.over, failure.next_due_at) {
        (true, _) => "–".into_any(),
        (false, Some(at)) => view! { "next try "{now.until(at)} }.into_any(),
        (false, None) if failure.retryable => "rests until it is retried".into_any(),
        (false, None) => "–".into_any(),
    };
    let tries = match failure.attempts_count {
        0 => "–".to_owned(),
        1 => "1 try".to_owned(),
        n => format!("{n} tries"),
    };
    let may = failure.retryable && !way.over && way.role >= Role::Support;
    let retry = may.then(|| {
        view! {
            <button class="btn small quick" form="retry-one" name="thing" value=thing data-key="r" aria-label=format!("Retry {what}")>"Retry"</button>
        }
        .into_any()
    });
    let pick = if may {
        way.picks.cell("picked", "id", failure.id.to_string(), failure.id, &what)
    } else {
        view! { <td role="cell" class="c-pick"></td> }.into_any()
    };
    let over = if way.over { " over" } else { "" };
    view! {
        <tr role="row" class=format!("row issue failure {health}{over}{moved}") data-failure=failure.id.to_string() data-kind=failure.kind.code()
            data-due=failure.next_due_at.map(super::time::iso)>
            {pick}
            <td role="cell" class="c-health">{badge_saying(health, words)}</td>
            <td role="cell" class="c-who">
                <a class="who" href=opened(asks, failure) data-row="" data-noscroll="" aria-current=move || here().then_some("true")>{what.clone()}</a>
                {whose.map(|name| view! { <span class="sub">{name}</span> })}
            </td>
            <td role="cell" class="c-why">{failure.error.message.clone()}{place.map(|place| view! { <span class="sub">{place}</span> })}</td>
            <td role="cell" class="c-state">{next}{retry}</td>
            <td role="cell" class="c-owner">{tries}</td>
            <td role="cell" class="c-since">{now.ago(failure.at)}</td>
        </tr>
    }
    .into_any()
}

/// The head that belongs to [`row`].
pub(crate) fn head() -> AnyView {
    let one = |class: &'static str, words: &'static str| {
        view! { <th role="columnheader" scope="col" class=class>{words}</th> }.into_any()
    };
    view! {
        <thead role="rowgroup">
            <tr role="row">
                {super::picks::head()}
                {one("c-health", "What failed")}
                {one("c-who", "Webhook or message")}
                {one("c-why", "Why")}
                {one("c-state", "Next")}
                {one("c-owner", "Tried")}
                {one("c-since", "Since")}
            </tr>
        </thead>
    }
    .into_any()
}
