//! What a list of connections was asked, in words: its headline, its chips, and what it says when nothing fits.

use super::{filters::sort_words, text, totals::page_of};
use crate::calls::connections::Listing;
use leptos::prelude::*;
use model::{ConnectionQuery, Count, Health};

/// What is listed, and in which order.
pub(crate) fn sentence(listing: &Listing, query: &ConnectionQuery) -> (String, String) {
    let (matching, all) = (listing.page.matching, listing.page.totals.all());
    let needing = || Health::ALL.iter().copied().filter(|health| health.needs_attention());
    let what = match query.health.as_slice() {
        [] => text::connections(matching),
        [one] if matching == Count::Exactly(1) => format!("1 connection {}", text::is(*one)),
        [one] => format!("{} connections {}", text::amount(matching), text::are(*one)),
        many if needing().eq(many.iter().copied()) => {
            format!("{} of {} need attention", text::amount(matching), text::connections(all))
        }
        _ => format!("{} of {}", text::amount(matching), text::connections(all)),
    };
    (what, format!(", {}", sort_words(query.sort).to_lowercase()))
}

/// The filters that have no control of their own, each with the way out of it.
pub(crate) fn chips(listing: &Listing, query: &ConnectionQuery) -> AnyView {
    let customer = |id| {
        let row = listing.page.items.iter().find(|row| row.customer.id == id);
        row.map_or_else(|| "one customer".to_owned(), |row| row.customer.name.clone())
    };
    let base = query.first_page();
    let mut chips: Vec<(String, ConnectionQuery)> = Vec::new();
    for id in &query.customer {
        let rest = query.customer.iter().copied().filter(|other| other != id).collect();
        chips.push((customer(*id), ConnectionQuery { customer: rest, ..base.clone() }));
    }
    for tag in &query.tag {
        let rest = query.tag.iter().filter(|other| *other != tag).cloned().collect();
        chips.push((format!("tag {tag}"), ConnectionQuery { tag: rest, ..base.clone() }));
    }
    if let Some(q) = &query.q {
        chips.push((format!("“{q}”"), ConnectionQuery { q: None, ..base.clone() }));
    }
    for slug in query.platform.iter().skip(1) {
        let rest = query.platform.iter().filter(|other| *other != slug).cloned().collect();
        chips.push((slug.clone(), ConnectionQuery { platform: rest, ..base.clone() }));
    }
    if chips.is_empty() {
        return ().into_any();
    }
    let chips: Vec<_> = chips
        .into_iter()
        .map(|(words, without)| view! { <li><a class="chip" href=page_of(&without) aria-label=format!("Remove the filter {words}")>{words.clone()}</a></li> }.into_any())
        .collect();
    view! {
        <ul class="chips" aria-label="Filters">
            {chips}
            <li><a class="chip clear" href="/connections">"Clear all filters"</a></li>
        </ul>
    }
    .into_any()
}

/// In the place of rows: what would appear, and how to get it.
pub(crate) fn nothing(query: &ConnectionQuery) -> AnyView {
    let filtered = *query != ConnectionQuery { sort: query.sort, limit: query.limit, ..ConnectionQuery::default() };
    let (title, text) = if filtered {
        ("No connection matches", "Connections that fit every filter above would be listed here.")
    } else {
        ("No connections yet", "Every customer’s connection is listed here as soon as a source has been polled once.")
    };
    let action = if filtered {
        view! { <a class="btn first" href="/connections">"Clear all filters"</a> }.into_any()
    } else {
        view! { <a class="btn first" href="/settings">"See the sources"</a> }.into_any()
    };
    view! {
        <section class="empty">
            <i class="empty-line" aria-hidden="true"></i>
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="acts">{action}</div>
        </section>
    }
    .into_any()
}
