//! Webhooks: everything that failed, in one list, with a button that mends it.

use crate::{
    asking::{self, Asked, Got, Latest, Question, ask, ask_calmly, part, screen},
    calls::failures::FailureListing,
    live::Refetch,
    parts::{
        asked::use_asked,
        failed_chips::times,
        failed_filters::filters,
        failed_groups::groups,
        failed_list::{foot, nothing},
        failed_pane::{pane, question},
        failed_query::{Asks, list_part, with},
        failed_rows::{asks_of, failed_rows},
        failed_tabs::{hints, kinds, retry_all, sentence},
        time::{Moment, use_clock},
        webhook_tabs::webhook_tabs,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn FailedPage() -> impl IntoView {
    let (address, query) = (use_asked(), use_query_map());
    let list = Memo::new(move |_| address.with(|address| list_part(address)));
    let open = Memo::new(move |_| query.with(|query| query.get("open")).filter(|open| !open.is_empty()));
    let asked = ask_calmly(move || Question::Failures(list.get()), Duration::from_secs(4));
    // What is open is mostly a row of the list, and asked again with any change of it.
    let its = Refetch::when(move |change| {
        open.with_untracked(|open| open.as_ref().is_some_and(|open| open.ends_with(&change.id)))
    })
    .every(Duration::from_secs(5));
    let opened = ask(move || question(open.get()), its);
    screen(asked, move |latest| full(asked, latest, Beside { open, opened, its, list }))
}

/// The failure beside the list.
#[derive(Clone, Copy)]
struct Beside {
    open: Memo<Option<String>>,
    opened: Asked,
    its: Refetch,
    list: Memo<String>,
}

fn full(asked: Asked, latest: Latest, beside: Beside) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&FailureListing, &Asks, Moment) -> AnyView| {
        part(latest, move |got| match got.failures() {
            Some(listing) => draw(listing, &asks_of(Some(got)), clock.moment(listing.as_of)),
            None => ().into_any(),
        })
    };
    // The filters are drawn anew only with another question: nobody's typing is lost.
    let bar = Memo::new(move |_| latest.with(|got| got.as_ref().map(|got| got.question.clone())));
    let bar = move || {
        bar.track();
        latest.with_untracked(|got| {
            let listing = got.as_ref().and_then(Got::failures)?;
            Some(filters(listing, &asks_of(got.as_ref())))
        })
    };
    // A list that was not empty keeps its rows until the person asks for the new ones.
    let shows = Memo::new(move |before: Option<&(Question, Shows)>| {
        latest.with(|got| {
            let Some(got) = got else { return (Question::Nothing, Shows::Nothing) };
            let now = got.failures().map_or(Shows::Nothing, |listing| match &listing.groups {
                Some(groups) if !groups.is_empty() => Shows::Groups,
                None if !listing.page.items.is_empty() => Shows::Rows,
                _ => Shows::Nothing,
            });
            let kept = before.filter(|(question, shows)| *shows == Shows::Rows && *question == got.question);
            (got.question.clone(), kept.map_or(now, |(_, shows)| *shows))
        })
    });
    let shows = Memo::new(move |_| shows.with(|(_, shows)| *shows));
    let list = move || match shows.get() {
        Shows::Rows => failed_rows(asked, latest, beside.open),
        Shows::Groups => part(groups),
        Shows::Nothing => part(|listing, asks, _| nothing(listing, asks)),
    };
    let close = Signal::derive(move || with(&beside.list.get()));
    let is_open = Memo::new(move |_| beside.open.with(Option::is_some));
    let title = move || latest.with(|got| got.as_ref().and_then(Got::failures).map(sentence).unwrap_or_default());
    view! {
        <Title text=asking::title(title) />
        {webhook_tabs("/webhooks")}
        {part(|listing, _, _| view! { <h1>{sentence(listing)}</h1> }.into_any())}
        {part(|listing, _, now| hints(listing, now))}
        {part(|listing, asks, _| kinds(listing, asks))}
        {bar}
        {part(times)}
        <div class=move || if is_open.get() { "split open" } else { "split" }>
            <div class="split-list">
                <div class="acts retry-all">{part(|listing, asks, _| retry_all(listing, asks))}</div>
                {list}
                {part(|listing, asks, _| foot(listing, asks))}
            </div>
            {move || is_open.get().then(|| opened(beside, close))}
        </div>
    }
    .into_any()
}

/// The failure that is open; refused, it can still be closed.
fn opened(beside: Beside, close: Signal<String>) -> AnyView {
    let its = beside.its;
    view! {
        <section class="pane" id="opened" aria-label="The failure that is open">
            <a class="btn small quiet close" href=move || close.get() data-noscroll="">"Close"</a>
            {asking::beside(beside.opened, move |latest| pane(latest, its))}
        </section>
    }
    .into_any()
}

/// What stands in the place of the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    Rows,
    Groups,
    Nothing,
}
