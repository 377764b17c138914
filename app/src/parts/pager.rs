//! Which rows of how many, and the way to the others.

use super::{text, totals::page_of};
use leptos::prelude::*;
use model::{ConnectionQuery, Count};

/// The foot of a list of connections.
pub(crate) fn pager(query: &ConnectionQuery, rows: usize, matching: Count, next: Option<&str>) -> AnyView {
    let limit = query.limit();
    let sizes: Vec<_> = [50u16, 100, 200]
        .into_iter()
        .map(|size| {
            let query = ConnectionQuery { limit: (size != 50).then_some(size), ..query.first_page() };
            view! { <a href=page_of(&query) aria-current=(size == limit).then_some("true")>{size}</a> }.into_any()
        })
        .collect();
    let next = next.map(|cursor| {
        let query = ConnectionQuery { cursor: Some(cursor.to_owned()), ..query.clone() };
        view! { <a class="btn" rel="next" href=page_of(&query)>{format!("Next {limit}")}</a> }.into_any()
    });
    let first = query
        .cursor
        .is_some()
        .then(|| view! { <a class="btn quiet" href=page_of(&query.first_page())>"First page"</a> }.into_any());
    view! {
        <nav class="pager" aria-label="Pages">
            <p>{text::count(rows as u64)}" of "{text::connections(matching)}</p>
            <p class="sizes">"Rows a page "{sizes}</p>
            <div class="acts">{first}{next}</div>
        </nav>
    }
    .into_any()
}
