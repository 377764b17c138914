//! What changed lately, newest first.

use super::{mark::mark, text, time::Moment};
use leptos::prelude::*;
use model::{Health, HealthChange};

/// The list; says so when nothing happened.
pub(crate) fn recent(changes: &[HealthChange], in_all: u64, now: Moment) -> AnyView {
    if changes.is_empty() {
        return view! { <p class="faint">"Nothing has changed its health in the last hour."</p> }.into_any();
    }
    let items: Vec<_> = changes.iter().map(|change| item(change, now)).collect();
    let more = in_all.saturating_sub(changes.len() as u64);
    view! {
        <ol class="log">{items}</ol>
        {(more > 0).then(|| view! { <p class="faint">{format!("And {} more changes.", text::count(more))}</p> })}
    }
    .into_any()
}

fn item(change: &HealthChange, now: Moment) -> AnyView {
    let health = change.to.unwrap_or(Health::Unknown);
    let said = match (change.from, change.to) {
        (_, None) => "was removed upstream",
        (Some(_), Some(Health::Healthy)) => "is healthy again",
        (None, Some(_)) => "was seen for the first time",
        (_, Some(health)) => text::is(health),
    };
    let lasted = change
        .from
        .zip(change.lasted_seconds)
        .map(|(from, lasted)| format!("{} for {} before", from.words(), text::span(lasted)));
    let eye = change.eye.map(|eye| format!("seen by {}", eye.words()));
    let under: Vec<_> = [Some(change.platform.clone()), lasted, eye].into_iter().flatten().collect();
    let cause = change.cause.clone().map(|cause| format!(": {cause}"));
    view! {
        <li class="with-mark">
            {mark(health)}
            <div>
                <p>
                    <a href=format!("/connections/{}", change.connection)>{change.customer.clone()}</a>
                    " "
                    {said}
                    <span class="muted">{cause}</span>
                </p>
                <p class="sub">{under.join(" · ")}</p>
            </div>
            <span class="when">{now.ago(change.at)}</span>
        </li>
    }
    .into_any()
}
