//! Issues: problems as things that people take, wait for and end.

use crate::{
    asking::{self, Asked, Got, Latest, Question, ask_rows, part, screen},
    calls::issues::{IssueListing, read_query},
    parts::{
        asked::use_asked,
        issue_foot::{foot, nothing},
        issue_rows::issue_rows,
        issue_tabs::{sentence, tabs},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, IssueQuery};

/// The screen.
#[component]
pub(crate) fn IssuesPage() -> impl IntoView {
    let address = use_asked();
    let topics = &[ChangeTopic::Issue, ChangeTopic::Outage, ChangeTopic::Connection];
    let asked = ask_rows(move || Question::Issues(address.get()), topics);
    screen(asked, move |latest| list(asked, latest))
}

/// The question as the list itself understands it.
fn query_of(got: Option<&Got>) -> IssueQuery {
    match got.map(|got| &got.question) {
        Some(Question::Issues(address)) => read_query(address).unwrap_or_default(),
        _ => IssueQuery::default(),
    }
}

fn list(asked: Asked, latest: Latest) -> AnyView {
    let query = Memo::new(move |_| latest.with(|got| query_of(got.as_ref())));
    let part = move |draw: fn(&IssueListing, &IssueQuery) -> AnyView| {
        part(latest, move |got| match got.issues() {
            Some(listing) => draw(listing, &query_of(Some(got))),
            None => ().into_any(),
        })
    };
    // A list that was not empty keeps its rows until the person asks for the new ones.
    let rows = Memo::new(move |before: Option<&(Question, bool)>| {
        latest.with(|got| match got {
            Some(got) => {
                let any = got.issues().is_some_and(|listing| !listing.page.items.is_empty());
                let still = before.is_some_and(|(question, had)| *had && *question == got.question);
                (got.question.clone(), any || still)
            }
            None => (Question::Nothing, false),
        })
    });
    let none = Memo::new(move |_| !rows.with(|(_, any)| *any));
    let title = move || latest.with(|got| got.as_ref().and_then(Got::issues).map(sentence).unwrap_or_default());
    view! {
        <Title text=asking::title(title) />
        {part(|listing, _| view! { <h1>{sentence(listing)}</h1> }.into_any())}
        {part(tabs)}
        {move || if none.get() { query.with(nothing) } else { issue_rows(asked, latest) }}
        {part(foot)}
    }
    .into_any()
}
