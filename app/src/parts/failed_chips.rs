//! Quick choices of time for the failed list, and the way out of each filter that is on.

use super::{failed_query::Asks, time::Moment};
use crate::{browser, calls::failures::FailureListing};
use chrono::TimeDelta;
use leptos::prelude::*;

/// Quick choices of time, and the filters that are on.
pub(crate) fn times(listing: &FailureListing, asks: &Asks, now: Moment) -> AnyView {
    let query = &asks.query;
    let hour = asks.change(|query| query.since = Some(now.now - TimeDelta::hours(1)));
    let midnight = now.now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let today = if now.local { browser::today_at("00:00").unwrap_or(midnight) } else { midnight };
    let today = asks.change(|query| query.since = Some(today));
    view! {
        <div class="choices since" role="group" aria-label="Since">
            <a href=asks.change(|query| query.since = None) aria-current=query.since.is_none().then_some("true")>"Any time"</a>
            <a href=hour>"Last hour"</a>
            <a href=today>"Today"</a>
        </div>
        {chips(listing, asks, now)}
    }
    .into_any()
}

/// The filters that are on, each with the way out of it.
fn chips(listing: &FailureListing, asks: &Asks, now: Moment) -> AnyView {
    let query = &asks.query;
    let mut chips: Vec<(String, String)> = Vec::new();
    if let Some(about) = &asks.about {
        let without = Asks { about: None, ..asks.clone() };
        chips.push((format!("about “{about}”"), without.change(|query| query.connection = None)));
    } else if query.connection.is_some() {
        let name = listing.connection.as_ref().map(|connection| connection.name.clone());
        chips.push((name.unwrap_or_else(|| "one connection".to_owned()), asks.change(|query| query.connection = None)));
    }
    if let Some(id) = query.endpoint {
        let name = listing.endpoints.iter().find(|one| one.id == id).map(|one| one.name.clone());
        let words = format!("to {}", name.unwrap_or_else(|| "one endpoint".to_owned()));
        chips.push((words, asks.change(|query| query.endpoint = None)));
    }
    for (words, list, take) in [("from", &query.source, true), ("error", &query.error, false)] {
        for one in list {
            let without = asks.change(|query| {
                if take { query.source.retain(|other| other != one) } else { query.error.retain(|other| other != one) }
            });
            chips.push((format!("{words} {one}"), without));
        }
    }
    if let Some(at) = query.since {
        chips.push((format!("since {}", now.exact(at)), asks.change(|query| query.since = None)));
    }
    if let Some(at) = query.until {
        chips.push((format!("until {}", now.exact(at)), asks.change(|query| query.until = None)));
    }
    if let Some(q) = &query.q {
        let place = query.path.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
        chips.push((format!("“{q}”{place}"), asks.change(|query| (query.q, query.path) = (None, None))));
    }
    if !query.id.is_empty() {
        chips.push((format!("{} chosen", query.id.len()), asks.change(|query| query.id.clear())));
    }
    if chips.is_empty() {
        return ().into_any();
    }
    let chips: Vec<_> = chips
        .into_iter()
        .map(|(words, href)| view! { <li><a class="chip" href=href aria-label=format!("Remove the filter {words}")>{words.clone()}</a></li> }.into_any())
        .collect();
    view! {
        <ul class="chips" aria-label="Filters">
            {chips}
            <li><a class="chip clear" href="/webhooks">"Clear all filters"</a></li>
        </ul>
    }
    .into_any()
}
