//! Customers as a table: how much each matters, who looks after it, and the worst of its connections.

use super::{mark::badge, text};
use leptos::prelude::*;
use model::{Customer, CustomerQuery};

/// The table.
pub(crate) fn customer_list(customers: &[Customer]) -> AnyView {
    let rows: Vec<_> = customers.iter().map(row).collect();
    view! {
        <div class="wide tall" tabindex="0" role="region" aria-label="Customers">
            <table class="plain customers">
                <thead>
                    <tr>
                        <th scope="col">"Customer"</th>
                        <th scope="col">"Worst"</th>
                        <th scope="col" class="num">"Connections"</th>
                        <th scope="col">"Tier"</th>
                        <th scope="col">"Tags"</th>
                        <th scope="col">"Owner"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(customer: &Customer) -> AnyView {
    let unsaid = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let worst = customer.worst.map_or_else(|| view! { <span class="faint">"none left"</span> }.into_any(), badge);
    view! {
        <tr>
            <th scope="row">
                <a class="name" href=format!("/customers/{}", customer.id) data-row="">{customer.name.clone()}</a>
            </th>
            <td>{worst}</td>
            <td class="num">{text::count(customer.connections)}</td>
            <td>{unsaid(&customer.tier)}</td>
            <td>{tags(&customer.tags)}</td>
            <td>{unsaid(&customer.owner)}</td>
        </tr>
    }
    .into_any()
}

/// Tags, each leading to the customers that have it.
pub(crate) fn tags(tags: &[String]) -> AnyView {
    let one = |tag: &String| {
        let query = CustomerQuery { tag: vec![tag.clone()], ..CustomerQuery::default() };
        view! { <a class="tag" href=customers_of(&query)>{tag.clone()}</a> }.into_any()
    };
    tags.iter().map(one).collect::<Vec<_>>().into_any()
}

/// The address of the list that answers a question.
pub(crate) fn customers_of(query: &CustomerQuery) -> String {
    let query = query.to_query();
    if query.is_empty() { "/customers".to_owned() } else { format!("/customers?{query}") }
}
