//! Overview: who is broken, since when, and how well we can see.

use crate::{
    browser,
    calls::{self, CallError, overview::OverviewAnswer},
    live::Refetch,
    parts::{
        empty::{Empty, waiting},
        fleet::fleet,
        recent::recent,
        refused::refused_screen,
        rows::{Batch, Rows, ShownIds, shown_ids},
        standing::{blind, headline},
        text,
        time::{Moment, use_clock},
        totals::{page_of, totals_of_all},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, ConnectionQuery, Health, Overview, Refusal};

/// The screen.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    let refetch = Refetch::on(&[ChangeTopic::Connection, ChangeTopic::System]);
    let shown: ShownIds = StoredValue::new(Default::default());
    let answer = Resource::new(
        move || refetch.round(),
        move |_| {
            let flight = refetch.depart();
            async move {
                let answer = calls::overview::ask_overview(shown_ids(shown, "worst")).await;
                drop(flight);
                answer
            }
        },
    );
    view! {
        <Transition fallback=waiting>
            <Body answer shown />
        </Transition>
    }
}

/// Everything that is known once there is an answer; the last good one stays when a later question fails.
#[component]
fn Body(answer: Resource<Result<OverviewAnswer, CallError>>, shown: ShownIds) -> impl IntoView {
    let latest = Memo::new(move |before: Option<&Option<Result<OverviewAnswer, CallError>>>| match answer.get() {
        Some(Err(error)) if error.refusal != Refusal::Unauthenticated => match before {
            Some(Some(Ok(good))) => Some(Ok(good.clone())),
            _ => Some(Err(error)),
        },
        other => other,
    });
    let clock = use_clock();
    let kind = Memo::new(move |_| {
        latest.with(|latest| match latest {
            None => Kind::Waiting,
            Some(Err(error)) => Kind::Refused(error.clone()),
            Some(Ok(answer)) if answer.overview.sources.is_empty() => Kind::Empty,
            Some(Ok(_)) => Kind::Full,
        })
    });
    let overview =
        Memo::new(move |_| latest.with(|l| l.as_ref().and_then(|l| l.as_ref().ok()).map(|a| a.overview.clone())));
    let batch = Memo::new(move |_| latest.with(|l| l.as_ref().and_then(|l| l.as_ref().ok()).map(batch)));
    Effect::new(move |_| {
        if let Some(at) = overview.with(|overview| overview.as_ref().map(|overview| overview.at)) {
            clock.learn(at);
        }
    });
    move || match kind.get() {
        Kind::Waiting => ().into_any(),
        Kind::Refused(error) => refused_screen(error),
        Kind::Empty => nothing_yet(),
        Kind::Full => full(overview, batch, shown),
    }
}

#[derive(Clone, PartialEq)]
enum Kind {
    Waiting,
    Refused(CallError),
    Empty,
    Full,
}

fn batch(answer: &OverviewAnswer) -> Batch {
    Batch {
        question: "worst".to_owned(),
        as_of: answer.overview.at,
        items: answer.overview.worst.clone(),
        strays: answer.strays.clone(),
    }
}

fn full(overview: Memo<Option<Overview>>, rows: Memo<Option<Batch>>, shown: ShownIds) -> AnyView {
    let clock = use_clock();
    // Each part reads what it needs, so that a change of one leaves the others alone.
    let part = move |draw: fn(&Overview, Moment) -> AnyView| {
        move || overview.with(|o| o.as_ref().map(|o| draw(o, clock.moment(o.at))))
    };
    let attention = Memo::new(move |_| overview.with(|o| o.as_ref().map_or(0, |o| o.totals.attention())));
    let many = Signal::derive(move || overview.with(|o| o.as_ref().is_some_and(|o| o.sources.len() > 1)));
    let title = move || match attention.get() {
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
                    <Rows batch=rows shown many_sources=many caption="Connections that need attention, worst first" />
                </section>
            }
        })
    };
    view! {
        <Title text=title />
        {part(|o, _| headline(o))}
        {part(|o, _| totals_of_all(&o.totals))}
        {part(|o, now| o.sources.iter().filter_map(|source| blind(source, now)).collect::<Vec<_>>().into_any())}
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

fn nothing_yet() -> AnyView {
    let text = "Add the Makini account that your application uses. Within a minute every customer’s connection appears here, worst first, \
                with what is wrong, since when, and what to do next.";
    view! {
        <Title text="Welcome" />
        <h1>"Nothing is watched yet."</h1>
        <Empty title="Linewatch needs a source" text=text>
            <a class="btn first" href="/settings/sources/new">"Add a source"</a>
        </Empty>
    }
    .into_any()
}
