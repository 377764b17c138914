//! One customer: what we note about it, and all its connections.

use crate::{
    asking::{self, Asked, Got, Latest, Question, ask_rows, may, part, screen},
    calls::customers::CustomerAnswer,
    parts::{
        customer_form::{customer_facts, customer_form},
        rows::Rows,
        text,
        time::use_clock,
        totals::page_of,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{ChangeTopic, ConnectionQuery, Health, Role};

/// The screen.
#[component]
pub(crate) fn CustomerPage() -> impl IntoView {
    let params = use_params_map();
    let question = move || Question::Customer(params.with(|params| params.get("id").unwrap_or_default()));
    let asked = ask_rows(question, &[ChangeTopic::Connection, ChangeTopic::System]);
    screen(asked, move |latest| full(asked, latest))
}

fn full(asked: Asked, latest: Latest) -> AnyView {
    let (clock, query) = (use_clock(), use_query_map());
    let acts = may(latest, Role::Support);
    let part = move |draw: fn(&CustomerAnswer) -> AnyView| {
        part(latest, move |got| got.customer().map_or_else(|| ().into_any(), draw))
    };
    let name = move || {
        latest.with(|got| got.as_ref().and_then(Got::customer).map(|a| a.customer.name.clone()).unwrap_or_default())
    };
    let facts = asking::part(latest, move |got| match got.customer() {
        Some(answer) => customer_facts(&answer.customer, clock.moment(answer.as_of)),
        None => ().into_any(),
    });
    let many = Signal::derive(move || {
        latest.with(|got| {
            got.as_ref().and_then(Got::customer).is_some_and(|answer| {
                let mut sources = answer.page.items.iter().map(|row| row.source.id);
                let first = sources.next();
                sources.any(|source| Some(source) != first)
            })
        })
    });
    // A list that was not empty keeps its rows: none may vanish under the pointer.
    let any = Memo::new(move |before: Option<&bool>| {
        let any = latest.with(|got| got.as_ref().and_then(Got::customer).is_some_and(|a| !a.page.items.is_empty()));
        before == Some(&true) || any
    });
    let rows = move || match any.get() {
        true => view! { <Rows latest shown=asked.shown many_sources=many caption="Connections of this customer" /> }
            .into_any(),
        false => view! { <p class="faint">"It has no connection any more. What was noted stays."</p> }.into_any(),
    };
    let saved = move || query.with(|query| query.get_str("saved").is_some());
    view! {
        <Title text=asking::title(name) />
        <nav class="crumbs" aria-label="You are here">
            <a href="/connections">"Connections"</a>
            <span aria-hidden="true">" / "</span>
            <a href="/customers">"Customers"</a>
            <span aria-hidden="true">" / "</span>
            <span>{name}</span>
        </nav>
        {part(headline)}
        {move || saved().then(|| view! { <p class="note good" role="status">"Saved."</p> })}
        <section aria-labelledby="its-connections">
            <h2 id="its-connections">"Connections"</h2>
            {rows}
            {part(more)}
        </section>
        <section class="customer-facts" aria-labelledby="noted">
            <h2 id="noted">"What is noted"</h2>
            {facts}
            {latest.with_untracked(|got| got.as_ref().filter(|_| acts).and_then(Got::customer).map(|a| customer_form(&a.customer, latest)))}
        </section>
    }
    .into_any()
}

/// Who it is, and how many of its connections need somebody.
fn headline(answer: &CustomerAnswer) -> AnyView {
    let (all, ill) = (answer.page.totals.all().at_least(), answer.page.totals.attention().at_least());
    let said = match (all, ill) {
        (0, _) => "has no connection any more".to_owned(),
        (1, 0) => "has one connection, and it is well".to_owned(),
        (n, 0) => format!("has {} connections, all well", text::count(n)),
        (1, _) => "has one connection, and it needs attention".to_owned(),
        (n, 1) => format!("has {} connections; one needs attention", text::count(n)),
        (n, ill) => format!("has {} connections; {} need attention", text::count(n), text::count(ill)),
    };
    let class = answer.customer.worst.filter(|health| health.needs_attention()).map_or("", Health::code);
    view! { <h1 class=class>{answer.customer.name.clone()}" "<em class=if ill == 0 { "plain" } else { "" }>{said}</em>"."</h1> }.into_any()
}

/// The way to the rest of very many.
fn more(answer: &CustomerAnswer) -> AnyView {
    if answer.page.next_cursor.is_none() {
        return ().into_any();
    }
    let all = page_of(&ConnectionQuery { customer: vec![answer.customer.id], ..ConnectionQuery::default() });
    view! { <p class="page-foot"><a href=all>{format!("All {} connections", text::amount(answer.page.matching))}</a></p> }.into_any()
}
