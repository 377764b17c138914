//! Customers: who owns connections, by name.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::customers::Customers,
    live::Refetch,
    parts::{
        asked::use_asked,
        customer_list::{customer_list, customers_of},
        empty::Empty,
        text,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, CustomerQuery};

/// The screen.
#[component]
pub(crate) fn CustomersPage() -> impl IntoView {
    let address = use_asked();
    let refetch = Refetch::when(|change| change.topic == ChangeTopic::Connection && !change.quiet);
    screen(ask(move || Question::Customers(address.get()), refetch), list)
}

/// The question as the list itself understands it.
fn query_of(got: Option<&Got>) -> CustomerQuery {
    match got.map(|got| &got.question) {
        Some(Question::Customers(address)) => CustomerQuery::from_query(address).unwrap_or_default(),
        _ => CustomerQuery::default(),
    }
}

fn list(latest: Latest) -> AnyView {
    let query = Memo::new(move |_| latest.with(|got| query_of(got.as_ref())));
    let whole = part(latest, |got| match got.customers() {
        Some(customers) => whole(customers, &query_of(Some(got))),
        None => ().into_any(),
    });
    view! {
        <Title text=asking::title(|| "Customers".to_owned()) />
        <nav class="crumbs" aria-label="You are here">
            <a href="/connections">"Connections"</a>
            <span aria-hidden="true">" / "</span>
            <span>"Customers"</span>
        </nav>
        <h1>"Customers"<span class="quiet">", A to Z"</span></h1>
        {move || query.with(search)}
        {whole}
    }
    .into_any()
}

/// The search: a plain form.
fn search(query: &CustomerQuery) -> AnyView {
    let hidden = |name: &'static str, values: &[String]| {
        values
            .iter()
            .map(|value| view! { <input type="hidden" name=name value=value.clone() /> }.into_any())
            .collect::<Vec<_>>()
    };
    let filtered = *query != CustomerQuery { limit: query.limit, ..CustomerQuery::default() };
    let chosen: Vec<_> = query.tier.iter().chain(&query.tag).map(|word| format!("“{word}”")).collect();
    view! {
        <form class="filters" method="get" action="/customers" role="search">
            <div class="search">
                <input type="search" id="search" name="q" value=query.q.clone() maxlength="200" autocomplete="off" placeholder="A part of the name" aria-label="Search customers" />
                <kbd aria-hidden="true">"/"</kbd>
            </div>
            {hidden("tag", &query.tag)}
            {hidden("tier", &query.tier)}
            <button class="btn">"Search"</button>
            {(!chosen.is_empty()).then(|| view! { <span class="muted">"Only those that are "{chosen.join(", ")}</span> })}
            {filtered.then(|| view! { <a class="btn quiet" href="/customers">"Show all"</a> })}
        </form>
    }
    .into_any()
}

fn whole(answer: &Customers, query: &CustomerQuery) -> AnyView {
    let page = &answer.page;
    if page.items.is_empty() {
        let words = "A customer appears here with its first connection: by the name that your application gives it, or by the connection’s own.";
        return view! {
            <Empty title="No customer matches" text=words>
                <a class="btn first" href="/connections">"See all connections"</a>
            </Empty>
        }
        .into_any();
    }
    let next = page.next_cursor.clone().map(|cursor| {
        let query = CustomerQuery { cursor: Some(cursor), ..query.clone() };
        view! { <a class="btn" rel="next" href=customers_of(&query)>{format!("Next {}", query.limit())}</a> }.into_any()
    });
    let first = query
        .cursor
        .is_some()
        .then(|| view! { <a class="btn quiet" href=customers_of(&query.first_page())>"First page"</a> }.into_any());
    let csv = CustomerQuery { limit: None, ..query.first_page() }.to_query();
    view! {
        {customer_list(&page.items)}
        <nav class="pager" aria-label="Pages">
            <p>{text::counted(page.items.len() as u64, "customer", "customers")}" on this page"</p>
            <div class="acts">{first}{next}</div>
        </nav>
        <p class="page-foot">
            <a href=format!("/api/v1/customers?format=csv&{csv}") rel="external" download="customers.csv">"Take this list away as CSV"</a>
        </p>
    }
    .into_any()
}
