//! The filter bar of the connections: a plain form that works without wasm; with it, every choice takes effect at once.

use super::totals::page_of;
use crate::{browser, calls::connections::Facets};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use model::{ConnectionQuery, ConnectionSort, SortKey};
use std::time::Duration;

/// How long one must pause while typing before the search begins.
const PAUSE: Duration = Duration::from_millis(250);

/// The bar.
pub(crate) fn filters(query: &ConnectionQuery, facets: &Facets) -> AnyView {
    let navigate = use_navigate();
    let typed = StoredValue::new((0u32, false));
    let search = move |_| {
        let number = typed.try_update_value(|(number, _)| {
            *number += 1;
            *number
        });
        let go = move || {
            if typed.try_get_value().map(|(number, _)| number) == number {
                typed.update_value(|(_, by_typing)| *by_typing = true);
                browser::submit_form_at("#search");
            }
        };
        set_timeout(go, PAUSE);
    };
    let words = query.q.clone().unwrap_or_default();
    Effect::new(move |_| browser::set_value_unless_focused("#search", &words));
    let submit = move |event: leptos::ev::SubmitEvent| {
        let Some(text) = browser::form_query(&event) else { return };
        event.prevent_default();
        let address =
            ConnectionQuery::from_query(&text).map_or(format!("/connections?{text}"), |query| page_of(&query));
        // A search while typing must not fill the way back with half words.
        let replace = typed.try_update_value(|(_, by_typing)| std::mem::take(by_typing)).unwrap_or_default();
        navigate(&address, NavigateOptions { scroll: false, replace, ..NavigateOptions::default() });
    };
    let hidden = |name: &'static str, values: Vec<String>| {
        let one = |value| view! { <input type="hidden" name=name value=value /> }.into_any();
        values.into_iter().map(one).collect::<Vec<_>>()
    };
    view! {
        <form class="filters" method="get" action="/connections" role="search" on:submit=submit>
            <div class="search">
                <input type="search" id="search" name="q" value=query.q.clone() maxlength="200" autocomplete="off"
                    placeholder="Customer, system, key, tag or request id" aria-label="Search connections" on:input=search />
                <kbd aria-hidden="true">"/"</kbd>
            </div>
            {hidden("health", query.health.iter().map(ToString::to_string).collect())}
            {hidden("customer", query.customer.iter().map(ToString::to_string).collect())}
            {hidden("tag", query.tag.clone())}
            {hidden("limit", query.limit.map(|limit| limit.to_string()).into_iter().collect())}
            {choice("platform", "System", "Every system", &query.platform,
                facets.platforms.iter().map(|p| (p.slug.clone(), p.name.clone())).collect())}
            {if facets.sources.len() > 1 || !query.source.is_empty() {
                choice("source", "Source", "Every source", &query.source,
                    facets.sources.iter().map(|s| (s.name.clone(), s.name.clone())).collect())
            } else { ().into_any() }}
            {sort(query.sort)}
            <noscript><button class="btn">"Apply"</button></noscript>
        </form>
    }
    .into_any()
}

fn choice(
    name: &'static str,
    label: &'static str,
    all: &'static str,
    chosen: &[String],
    known: Vec<(String, String)>,
) -> AnyView {
    let current = chosen.first().cloned().unwrap_or_default();
    let mut known = known;
    if !current.is_empty() && known.iter().all(|(value, _)| *value != current) {
        known.push((current.clone(), current.clone()));
    }
    let option = |(value, words): (String, String)| {
        let selected = value == current;
        view! { <option value=value selected=selected>{words}</option> }.into_any()
    };
    let options: Vec<_> = known.into_iter().map(option).collect();
    view! {
        <select name=name aria-label=label on:change=submit_form>
            <option value="">{all}</option>
            {options}
        </select>
    }
    .into_any()
}

fn sort(current: ConnectionSort) -> AnyView {
    let options: Vec<_> = SortKey::ALL
        .iter()
        .flat_map(|key| [false, true].map(|reversed| ConnectionSort { key: *key, reversed }))
        .map(|sort| {
            let value = if sort == ConnectionSort::default() { String::new() } else { sort.to_string() };
            view! { <option value=value selected=sort == current>{sort_words(sort)}</option> }.into_any()
        })
        .collect();
    view! {
        <select name="sort" aria-label="Order" on:change=submit_form>
            {options}
        </select>
    }
    .into_any()
}

/// An order in words.
pub(crate) fn sort_words(sort: ConnectionSort) -> &'static str {
    match (sort.key, sort.reversed) {
        (SortKey::Worst, false) => "Worst first",
        (SortKey::Worst, true) => "Best first",
        (SortKey::Customer, false) => "Customer, A to Z",
        (SortKey::Customer, true) => "Customer, Z to A",
        (SortKey::Platform, false) => "System, A to Z",
        (SortKey::Platform, true) => "System, Z to A",
        (SortKey::Since, false) => "Longest so first",
        (SortKey::Since, true) => "Latest change first",
        (SortKey::LastGoodSync, false) => "Oldest good sync first",
        (SortKey::LastGoodSync, true) => "Latest good sync first",
    }
}

/// A choice takes effect at once.
fn submit_form(event: leptos::ev::Event) {
    browser::submit_form_of(&event);
}
