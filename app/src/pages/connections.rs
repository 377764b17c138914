//! Connections: every one, by filter and order, all of it in the address.

use crate::{
    calls::{
        self, CallError,
        connections::{Facets, Listing},
    },
    live::Refetch,
    parts::{
        empty::waiting,
        filters::filters,
        pager::pager,
        question::{chips, nothing, sentence},
        refused::refused_screen,
        rows::{Batch, Rows, ShownIds, shown_ids},
        time::use_clock,
        totals::totals,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use model::{ChangeTopic, ConnectionQuery, Refusal};
use serde::{Deserialize, Serialize};

/// An answer and the question it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    question: String,
    result: Result<Listing, CallError>,
}

/// The screen.
#[component]
pub(crate) fn ConnectionsPage() -> impl IntoView {
    let question = use_location().search;
    let refetch = Refetch::on(&[ChangeTopic::Connection, ChangeTopic::System]);
    let shown: ShownIds = StoredValue::new(Default::default());
    let answer = Resource::new(
        move || (question.get(), refetch.round()),
        move |(question, _)| {
            let flight = refetch.depart();
            async move {
                let result = calls::connections::list_connections(question.clone(), shown_ids(shown, &question)).await;
                drop(flight);
                Answer { question, result }
            }
        },
    );
    let facets = Resource::new(|| (), |()| async { calls::connections::ask_facets().await.unwrap_or_default() });
    view! {
        <Transition fallback=waiting>
            <Body answer facets shown />
        </Transition>
    }
}

#[component]
fn Body(answer: Resource<Answer>, facets: Resource<Facets>, shown: ShownIds) -> impl IntoView {
    let clock = use_clock();
    // The last good answer to the same question stays when a later asking fails.
    let latest = Memo::new(move |before: Option<&Option<Answer>>| {
        let new = answer.get()?;
        match (&new.result, before.and_then(Option::as_ref)) {
            (Err(error), Some(good))
                if good.result.is_ok()
                    && good.question == new.question
                    && error.refusal != Refusal::Unauthenticated =>
            {
                Some(good.clone())
            }
            _ => Some(new),
        }
    });
    let facets = Memo::new(move |_| facets.get().unwrap_or_default());
    let refused = Memo::new(move |_| {
        latest.with(|l| l.as_ref().map(|l| l.result.as_ref().err().map(|error| (l.question.clone(), error.clone()))))
    });
    let batch = Memo::new(move |_| latest.with(|l| l.as_ref().and_then(batch)));
    Effect::new(move |_| {
        if let Some(as_of) = batch.with(|batch| batch.as_ref().map(|batch| batch.as_of)) {
            clock.learn(as_of);
        }
    });
    move || match refused.get() {
        None => ().into_any(),
        Some(Some((question, error))) => refused_list(&question, error),
        Some(None) => list(latest, batch, facets, shown),
    }
}

fn batch(answer: &Answer) -> Option<Batch> {
    let listing = answer.result.as_ref().ok()?;
    Some(Batch {
        question: answer.question.clone(),
        as_of: listing.as_of,
        items: listing.page.items.clone(),
        strays: listing.strays.clone(),
    })
}

fn list(latest: Memo<Option<Answer>>, rows: Memo<Option<Batch>>, facets: Memo<Facets>, shown: ShownIds) -> AnyView {
    let query = Memo::new(move |_| {
        latest.with(|l| l.as_ref().and_then(|l| ConnectionQuery::from_query(&l.question).ok()).unwrap_or_default())
    });
    let part = move |draw: fn(&Listing, &ConnectionQuery) -> AnyView| {
        move || {
            latest.with(|l| {
                l.as_ref().and_then(|l| l.result.as_ref().ok()).map(|listing| query.with(|query| draw(listing, query)))
            })
        }
    };
    let many = Signal::derive(move || facets.with(|facets| facets.sources.len() > 1));
    // A list that was not empty keeps its rows until the person asks for the new ones.
    let had = Memo::new(move |before: Option<&(String, bool)>| {
        let (question, any) =
            rows.with(|rows| rows.as_ref().map(|r| (r.question.clone(), !r.items.is_empty()))).unwrap_or_default();
        let still = before.is_some_and(|(before, had)| *had && *before == question);
        (question, any || still)
    });
    let none = Memo::new(move |_| !had.with(|(_, any)| *any));
    let title = Memo::new(move |_| {
        latest.with(|l| {
            l.as_ref()
                .and_then(|l| l.result.as_ref().ok())
                .map(|l| query.with(|q| sentence(l, q).0))
                .unwrap_or_default()
        })
    });
    view! {
        <Title text=move || title.get() />
        {part(|listing, query| {
            let (sentence, order) = sentence(listing, query);
            view! { <h1>{sentence}<span class="quiet">{order}</span></h1> }.into_any()
        })}
        {move || query.with(|query| facets.with(|facets| filters(query, facets)))}
        {part(|listing, query| totals(&listing.page.totals, query))}
        {part(chips)}
        {move || if none.get() {
            query.with(nothing)
        } else {
            view! { <Rows batch=rows shown many_sources=many caption="Connections" /> }.into_any()
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

/// Wrong values in the address: what is wrong with each, and the way out.
fn refused_list(_question: &str, error: CallError) -> AnyView {
    let Refusal::Invalid(errors) = &error.refusal else { return refused_screen(error) };
    #[cfg(feature = "ssr")]
    calls::set_status(true, error.refusal.status());
    let errors: Vec<_> = errors
        .iter()
        .map(|error| view! { <li><code>{error.field.clone()}</code>" – "{error.message.clone()}</li> }.into_any())
        .collect();
    view! {
        <Title text="Connections" />
        <section class="refused">
            <h1>"This filter cannot be understood."</h1>
            <p class="lede">"The address asks for something that the list of connections does not know:"</p>
            <ul class="plain-list">{errors}</ul>
            <div class="acts">
                <a class="btn first" href="/connections">"Show all connections"</a>
            </div>
        </section>
    }
    .into_any()
}
