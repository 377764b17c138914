//! Snoozing an issue: an hour, tomorrow, Monday – in the person's own zone once the page is alive – or any other time.

use super::{
    post::Post,
    time::{iso, use_clock},
};
use crate::{asking::Latest, browser};
use chrono::{DateTime, Utc};
use leptos::prelude::*;

/// The buttons and the field; `hidden` makes the fields that say which issue is meant.
pub(crate) fn snooze(post: Post, hidden: fn(Latest) -> AnyView, latest: Latest) -> AnyView {
    let alive = use_clock();
    // Two of the times are known only where the person's zone is.
    let local = move |words: &'static str, find: fn() -> Option<DateTime<Utc>>| {
        let value = move || if alive.is_ticking() { find().map(iso).unwrap_or_default() } else { String::new() };
        view! {
            <button class="btn" name="form[until]" value=value hidden=move || !alive.is_ticking() disabled=move || post.busy.get()>{words}</button>
        }
        .into_any()
    };
    let quick = view! {
        {hidden(latest)}
        <input type="hidden" name="form[act]" value="snooze" />
        <button class="btn" name="form[until]" value="1h" disabled=move || post.busy.get()>"1 hour"</button>
        {local("Tomorrow 9:00", || browser::at_hour(9, None))}
        {local("Monday 9:00", || browser::at_hour(9, Some(1)))}
    };
    // Without wasm the field is read as UTC, and says so; with it the moment is posted beside it.
    let moment = RwSignal::new(String::new());
    let typed = move |event| moment.set(browser::read_local(&event_target_value(&event)).map(iso).unwrap_or_default());
    let name = move |mine: bool| (alive.is_ticking() == mine).then_some("form[until]");
    let wrong = move || post.error.with(|error| error.as_ref().and_then(|error| error.about("until")));
    let field = view! {
        {hidden(latest)}
        <input type="hidden" name="form[act]" value="snooze" />
        <input type="hidden" name=move || name(true) value=move || moment.get() />
        <label for="until">{move || if alive.is_ticking() { "Until, in your time" } else { "Until, in UTC" }}</label>
        <input id="until" type="datetime-local" name=move || name(false) required=true on:input=typed
            aria-invalid=move || wrong().is_some().then_some("true") aria-describedby="until-wrong" />
        <button class="btn" disabled=move || post.busy.get()>"Snooze"</button>
        <p class="wrong" id="until-wrong" hidden=move || wrong().is_none()>{wrong}</p>
    };
    view! {
        {post.form("acts", quick.into_any())}
        {post.form("inline-form", field.into_any())}
    }
    .into_any()
}
