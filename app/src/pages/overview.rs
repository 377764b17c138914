//! Overview: who is broken, since when, and how well we can see.

use crate::{
    asking::{self, Asked, Latest, Question, ask_rows, may, part, screen},
    browser,
    parts::{
        empty::Empty,
        fleet::fleet,
        outages::outages,
        recent::recent,
        rows::Rows,
        standing::headline,
        text,
        time::{Moment, use_clock},
        totals::{page_of, totals_of_all},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, ConnectionQuery, Health, Overview, Role, Tally};

/// The screen.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    let asked = ask_rows(|| Question::Overview, &[ChangeTopic::Connection, ChangeTopic::Outage, ChangeTopic::System]);
    screen(asked, move |latest| {
        let empty = Memo::new(move |_| with(latest, |o| o.sources.is_empty()).unwrap_or_default());
        (move || if empty.get() { nothing_yet(may(latest, Role::Admin)) } else { full(asked, latest) }).into_any()
    })
}

fn with<T>(latest: Latest, read: impl FnOnce(&Overview) -> T) -> Option<T> {
    latest.with(|got| got.as_ref().and_then(|got| got.overview()).map(|answer| read(&answer.overview)))
}

fn full(asked: Asked, latest: Latest) -> AnyView {
    let clock = use_clock();
    // Each part reads what it needs, so that a change of one leaves the others alone.
    let part = move |draw: fn(&Overview, Moment) -> AnyView| {
        part(latest, move |got| match got.overview() {
            Some(answer) => draw(&answer.overview, clock.moment(answer.overview.at)),
            None => ().into_any(),
        })
    };
    let attention = Memo::new(move |_| with(latest, |o| o.totals.attention()).unwrap_or_default());
    let many = Signal::derive(move || with(latest, |o| o.sources.len() > 1).unwrap_or_default());
    let title = move || match with(latest, |o| o.totals.attention()).unwrap_or_default() {
        0 => "All well".to_owned(),
        n => format!("{} need attention", text::count(n)),
    };
    let all = page_of(&ConnectionQuery {
        health: Health::ALL.iter().copied().filter(|h| h.needs_attention()).collect(),
        ..Default::default()
    });
    // Once shown the table stays: its last row may heal, but must not vanish under the pointer.
    let any = Memo::new(move |before: Option<&bool>| before == Some(&true) || attention.get() > 0);
    let worst = move || {
        any.get().then(|| {
            view! {
                <section aria-labelledby="worst">
                    <div class="section-head">
                        <h2 id="worst">"Needs attention"</h2>
                        <a href=all.clone() hidden=move || attention.get() == 0>{move || format!("All {}", text::count(attention.get()))}</a>
                    </div>
                    <Rows latest shown=asked.shown many_sources=many caption="Connections that need attention, worst first" />
                </section>
            }
        })
    };
    view! {
        <Title text=asking::title(title) />
        {part(|o, _| headline(o))}
        {part(|o, _| totals_of_all(&Tally::from(&o.totals)))}
        {part(|o, now| outages(&o.outages, now))}
        {worst}
        <section aria-labelledby="recent">
            <h2 id="recent">"In the last hour"</h2>
            {part(|o, now| recent(&o.changes, o.changes_in_all, now))}
        </section>
        <section aria-labelledby="fleet">
            <h2 id="fleet">"The last 24 hours"</h2>
            {part(|o, _| fleet(&o.fleet))}
        </section>
        <p class="page-foot">
            "Put together "
            {part(|o, now| now.ago(o.at))}
            ". When something changes, this page changes by itself."
            <a href="/" rel="external" on:click=move |_| browser::go("/")>" Load again"</a>
        </p>
    }
    .into_any()
}

fn nothing_yet(may_add: bool) -> AnyView {
    let text = "Add the Makini account that your application uses. Within a minute every customer’s connection appears here, worst first, \
                with what is wrong, since when, and what to do next.";
    view! {
        <Title text="Welcome" />
        <h1>"Nothing is watched yet."</h1>
        <Empty title="Linewatch needs a source" text=text>
            {match may_add {
                true => view! { <a class="btn first" href="/settings/sources/new">"Add a source"</a> }.into_any(),
                false => view! { <p class="faint">{format!("Sources are added by the role “{}”.", Role::Admin.words())}</p> }.into_any(),
            }}
        </Empty>
    }
    .into_any()
}
