//! Totals by health: a bar, and its legend, of which each entry is a filter.

use super::{mark::mark, text};
use leptos::prelude::*;
use model::{ConnectionQuery, Count, Health, Tally};

/// The bar and the legend above a list: `query` holds its filters; the entries keep the others and mark their own.
pub(crate) fn totals(totals: &Tally, query: &ConnectionQuery) -> AnyView {
    draw(totals, query, true)
}

/// The bar and the legend where there is no list: every entry leads to one.
pub(crate) fn totals_of_all(totals: &Tally) -> AnyView {
    draw(totals, &ConnectionQuery::default(), false)
}

fn draw(totals: &Tally, query: &ConnectionQuery, list: bool) -> AnyView {
    let entries: Vec<_> = Health::ALL
        .iter()
        .copied()
        .filter(|health| totals.of(*health).at_least() > 0 || query.health.contains(health))
        .map(|health| entry(health, totals.of(health), query))
        .collect();
    let needing: Vec<_> = Health::ALL.iter().copied().filter(|health| health.needs_attention()).collect();
    let all_on = list && query.health.is_empty();
    let needing_on = query.health == needing;
    view! {
        <div class="totals">
            {bar(totals)}
            <ul class="legend" aria-label="Connections by health">
                <li>
                    <a href=address(query, Vec::new()) aria-current=all_on.then_some("true")>
                        "All "
                        <b>{text::amount(totals.all())}</b>
                    </a>
                </li>
                <li>
                    <a href=address(query, needing) aria-current=needing_on.then_some("true")>
                        "Needs attention "
                        <b>{text::amount(totals.attention())}</b>
                    </a>
                </li>
                {entries}
            </ul>
        </div>
    }
    .into_any()
}

fn entry(health: Health, count: Count, query: &ConnectionQuery) -> AnyView {
    let on = query.health == [health];
    let next = if on { Vec::new() } else { vec![health] };
    view! {
        <li>
            <a class=format!("health {health}") href=address(query, next) aria-current=on.then_some("true")>
                {mark(health)}
                <span>{health.words()}</span>
                " "
                <b>{text::amount(count)}</b>
            </a>
        </li>
    }
    .into_any()
}

fn address(query: &ConnectionQuery, health: Vec<Health>) -> String {
    page_of(&ConnectionQuery { health, ..query.first_page() })
}

/// The address of the list that answers a question.
pub(crate) fn page_of(query: &ConnectionQuery) -> String {
    let query = query.to_query();
    if query.is_empty() { "/connections".to_owned() } else { format!("/connections?{query}") }
}

/// The bar: every share that is not nothing can be seen. Measured in hundredths of a percent; what was not counted to its end
/// is drawn as far as it was.
fn bar(totals: &Tally) -> AnyView {
    const LEAST: u64 = 70;
    let of = |health: &Health| totals.of(*health).at_least();
    let all = Health::ALL.iter().map(of).sum::<u64>().max(1);
    let shares: Vec<_> = Health::ALL
        .iter()
        .filter(|&health| of(health) > 0)
        .map(|health| (*health, (of(health) * 10_000 / all).max(LEAST)))
        .collect();
    let whole = shares.iter().map(|(_, share)| share).sum::<u64>().max(1);
    let mut from = 0;
    let pieces: Vec<_> = shares
        .into_iter()
        .map(|(health, share)| {
            let (x, width) = (percent(from * 10_000 / whole), percent(share * 10_000 / whole));
            from += share;
            view! { <rect class=health.code() x=x width=width height="10"></rect> }.into_any()
        })
        .collect();
    view! {
        <svg class="bar" width="100%" height="10" aria-hidden="true">
            {pieces}
        </svg>
    }
    .into_any()
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
