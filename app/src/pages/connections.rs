//! Connections: every one, by filter and order, all of it in the address.

use crate::{
    asking::{self, Asked, Got, Latest, Question, ask, ask_rows, may, part, screen},
    calls::connections::{Facets, Listing},
    live::Refetch,
    parts::{
        asked::use_asked,
        filters::filters,
        pager::pager,
        picks::{Picks, bulk_bar},
        question::{chips, nothing, sentence},
        rows::Rows,
        totals::totals,
        views::views,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, ConnectionQuery, Count, Role};

/// The screen.
#[component]
pub(crate) fn ConnectionsPage() -> impl IntoView {
    let address = use_asked();
    let topics = &[ChangeTopic::Connection, ChangeTopic::System];
    let asked = ask_rows(move || Question::Connections(address.get()), topics);
    let facets = ask(|| Question::Facets, Refetch::on(&[ChangeTopic::System]));
    let again = Refetch::when(|change| change.topic == ChangeTopic::Connection && !change.quiet);
    let saved = ask(|| Question::Views, again);
    screen(asked, move |latest| list(asked, latest, facets.latest(), (saved.latest(), again)))
}

/// The question as the list itself understands it.
fn query_of(got: Option<&Got>) -> ConnectionQuery {
    match got.map(|got| &got.question) {
        Some(Question::Connections(address)) => ConnectionQuery::from_query(address).unwrap_or_default(),
        _ => ConnectionQuery::default(),
    }
}

fn list(asked: Asked, latest: Latest, facets: Latest, (saved, again): (Latest, Refetch)) -> AnyView {
    let query = Memo::new(move |_| latest.with(|got| query_of(got.as_ref())));
    let part = move |draw: fn(&Listing, &ConnectionQuery) -> AnyView| {
        part(latest, move |got| match got.listing() {
            Some(listing) => draw(listing, &query_of(Some(got))),
            None => ().into_any(),
        })
    };
    let known = move |read: &dyn Fn(&Facets) -> AnyView| {
        facets.with(|got| read(got.as_ref().and_then(|got| got.facets()).unwrap_or(&Facets::default())))
    };
    let many = Signal::derive(move || {
        facets.with(|got| got.as_ref().and_then(|got| got.facets()).is_some_and(|facets| facets.sources.len() > 1))
    });
    // A list that was not empty keeps its rows until the person asks for the new ones.
    let rows = Memo::new(move |before: Option<&(Question, bool)>| {
        latest.with(|got| match got {
            Some(got) => {
                let any = got.listing().is_some_and(|listing| !listing.page.items.is_empty());
                let still = before.is_some_and(|(question, had)| *had && *question == got.question);
                (got.question.clone(), any || still)
            }
            None => (Question::Nothing, false),
        })
    });
    let picks = may(latest, Role::Support).then(Picks::new);
    let none = Memo::new(move |_| !rows.with(|(_, any)| *any));
    let title = move || {
        latest.with(|got| {
            let listing = got.as_ref().and_then(|got| got.listing());
            listing.map(|listing| sentence(listing, &query_of(got.as_ref())).0).unwrap_or_default()
        })
    };
    view! {
        <Title text=asking::title(title) />
        {part(|listing, query| {
            let (sentence, order) = sentence(listing, query);
            view! {
                <div class="section-head">
                    <h1>{sentence}<span class="quiet">{order}</span></h1>
                    <a href="/customers">"By customer"</a>
                </div>
            }
            .into_any()
        })}
        {views(saved, query, again)}
        {move || query.with(|query| known(&|facets| filters(query, facets)))}
        {part(|listing, query| totals(&listing.page.totals, query))}
        {part(chips)}
        {move || {
            let matching = latest.with(|got| got.as_ref().and_then(Got::listing).map_or(Count::Exactly(0), |l| l.page.matching));
            picks.filter(|_| matching != Count::Exactly(0)).map(|picks| query.with(|query| bulk_bar(query, matching, picks)))
        }}
        {move || if none.get() {
            query.with(nothing)
        } else {
            view! { <Rows latest shown=asked.shown many_sources=many caption="Connections" picks=picks /> }.into_any()
        }}
        {part(|listing, query| {
            let page = &listing.page;
            if page.items.is_empty() { return ().into_any() }
            let csv = format!("/api/v1/connections?format=csv&{}", ConnectionQuery { limit: None, ..query.first_page() }.to_query());
            view! {
                {pager(query, page.items.len(), page.matching, page.next_cursor.as_deref())}
                <p class="page-foot"><a href=csv rel="external" download="connections.csv">"Take this list away as CSV"</a></p>
            }.into_any()
        })}
    }
    .into_any()
}
