//! The table of failures, alive: a row changes in place, at once; its place, and whether it stands there at all, only when the
//! person asks for it.

use super::{
    failed_query::{self, Asks},
    failed_row::{self, Way},
    held::hold,
    picks::Picks,
    post::Post,
    row::moved,
    text,
    time::use_clock,
};
use crate::{
    asking::{Asked, Got, Latest, Question},
    calls::failures::RetryOne,
};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{Failure, Role};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
struct Line {
    failure: Failure,
    role: Role,
    moves: u32,
    over: bool,
}

/// What the list in an answer was asked. Of a name that was typed and means one connection, that connection.
pub(crate) fn asks_of(got: Option<&Got>) -> Asks {
    let Some((got, Question::Failures(address))) = got.map(|got| (got, &got.question)) else { return Asks::default() };
    let mut asks = failed_query::read(address, got.as_of()).unwrap_or_default();
    if let Some(connection) = got.failures().and_then(|listing| listing.connection.as_ref()) {
        (asks.query.connection, asks.about) = (Some(connection.id), None);
    }
    asks
}

/// The table of the failures in an answer; `open` is the one that is open, as the address says it.
pub(crate) fn failed_rows(asked: Asked, latest: Latest, open: Memo<Option<String>>) -> AnyView {
    let held = hold(latest, asked.shown);
    let picks = Picks::new();
    let retry = Post::new(RetryOne::PATH, "It is tried now.", move || asked.refetch.nudge());
    let none = move || picks.count() == 0;
    let count = move || format!("Retry the {} selected…", text::count(picks.count() as u64));
    view! {
        <form id="picked" class="bulk-bar picked" method="get" action="/webhooks/retries/new">
            <button class="btn small" hidden=none>{count}</button>
            <button type="button" class="btn small quiet" hidden=none on:click=move |_| picks.clear()>"Select none"</button>
            <noscript><button class="btn small">"Retry those selected…"</button></noscript>
        </form>
        {retry.form_with_id("retry-one", "", ().into_any())}
        {retry.note()}
        {held.pill()}
        <table role="table" class="rows issues failures">
            <caption class="sr">"Failures, newest first"</caption>
            {failed_row::head()}
            <tbody role="rowgroup">
                <For each=move || held.ids() key=|id| *id let(id)>
                    {live_row(id, latest, picks, open)}
                </For>
            </tbody>
        </table>
        {held.none()}
    }
    .into_any()
}

/// One row: looks itself up in every new answer. One that is in none any more is no failure any more.
fn live_row(id: Uuid, latest: Latest, picks: Picks, open: Memo<Option<String>>) -> AnyView {
    let clock = use_clock();
    let line = Memo::new(move |before: Option<&Option<Line>>| {
        let before = before.and_then(Option::as_ref);
        latest.with(|got| {
            let Some(listing) = got.as_ref().and_then(Got::failures) else { return before.cloned() };
            let found = listing.page.items.iter().chain(&listing.strays).find(|row| row.id == id);
            let (failure, over) = match (found, before) {
                (Some(found), _) => (found.clone(), false),
                (None, Some(before)) => (before.failure.clone(), true),
                (None, None) => return None,
            };
            let changed = before.is_some_and(|before| before.over != over || before.failure != failure);
            let moves = before.map_or(0, |before| before.moves + u32::from(changed));
            Some(Line { failure, role: listing.role, moves, over })
        })
    });
    let here = move || {
        let its = line.with(|line| line.as_ref().map(|l| format!("{}:{}", l.failure.kind, l.failure.id)));
        open.with(|open| open.is_some() && *open == its)
    };
    let draw = move || {
        let (now, asks) =
            latest.with_untracked(|got| (got.as_ref().and_then(Got::as_of).unwrap_or_default(), asks_of(got.as_ref())));
        let now = clock.moment(now);
        line.with(|line| {
            line.as_ref().map(|l| {
                let way = Way { picks, role: l.role, over: l.over };
                failed_row::row(&l.failure, moved(l.moves, false), now, &asks, way, here)
            })
        })
    };
    draw.into_any()
}
