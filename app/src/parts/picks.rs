//! Rows that are selected, and what can be done with many connections: with them, or with all that the filters match. A plain
//! form that leads to the page where the number is counted and confirmed.

use super::text;
use leptos::prelude::*;
use model::{BulkKind, ConnectionQuery, Count};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Which rows are selected.
#[derive(Clone, Copy)]
pub(crate) struct Picks(RwSignal<BTreeSet<Uuid>>);

impl Picks {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(RwSignal::new(BTreeSet::new()))
    }

    /// How many.
    pub(crate) fn count(self) -> usize {
        self.0.with(BTreeSet::len)
    }

    /// None again.
    pub(crate) fn clear(self) {
        self.0.try_update(BTreeSet::clear);
    }

    /// The cell at the beginning of a row: a box that belongs to a form elsewhere on the page.
    pub(crate) fn cell(self, form: &'static str, name: &'static str, value: String, id: Uuid, what: &str) -> AnyView {
        let on = move || self.0.with(|picked| picked.contains(&id));
        let toggle = move |event| {
            let on = event_target_checked(&event);
            self.0.update(|picked| {
                if on {
                    picked.insert(id)
                } else {
                    picked.remove(&id)
                };
            });
        };
        view! {
            <td role="cell" class="c-pick">
                <label class="pick">
                    <input type="checkbox" form=form name=name value=value data-key="x" aria-label=format!("Select {what}") prop:checked=on on:change=toggle />
                </label>
            </td>
        }
        .into_any()
    }
}

/// The head of the column.
pub(crate) fn head() -> AnyView {
    view! { <th role="columnheader" scope="col" class="c-pick"><span class="sr">"Selected"</span></th> }.into_any()
}

/// What can be done with the selected ones, or with all that match.
pub(crate) fn bulk_bar(query: &ConnectionQuery, matching: Count, picks: Picks) -> AnyView {
    let all = match matching {
        Count::Exactly(1) => "With the one that matches".to_owned(),
        n => format!("With all {} that match", text::amount(n)),
    };
    let with = move || match picks.count() as u64 {
        0 => format!("{all}, or with those selected"),
        n => format!("With the {} selected", text::count(n)),
    };
    let filters = ConnectionQuery { sort: Default::default(), limit: None, ..query.first_page() };
    let fields: Vec<_> = filters
        .pairs()
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.into_any())
        .collect();
    let buttons: Vec<_> = BulkKind::ALL
        .iter()
        .map(|kind| {
            view! { <button class="btn small" name="kind" value=kind.code()>{kind.words()}</button> }.into_any()
        })
        .collect();
    let none = move || picks.count() == 0;
    view! {
        <form id="bulk" class="bulk-bar" method="get" action="/bulk/new">
            {fields}
            <span class="with" aria-live="polite">{with}</span>
            {buttons}
            <button type="button" class="btn small quiet" hidden=none on:click=move |_| picks.clear()>"Select none"</button>
        </form>
    }
    .into_any()
}
