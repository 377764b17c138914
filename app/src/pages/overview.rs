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
        text,
        time::{Moment, use_clock},
        totals::{page_of, totals},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, ConnectionQuery, Health, Overview, Refusal, Source};

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
    let overview = Memo::new(move |_| latest.with(|l| l.as_ref().and_then(|l| l.as_ref().ok()).map(|a| a.overview.clone())));
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
    let all = page_of(&ConnectionQuery { health: Health::ALL.iter().copied().filter(|h| h.needs_attention()).collect(), ..Default::default() });
    let worst = move || {
        (attention.get() > 0).then(|| {
            view! {
                <section aria-labelledby="worst">
                    <div class="section-head">
                        <h2 id="worst">"Needs attention"</h2>
                        <a href=all.clone()>{move || format!("All {}", text::count(attention.get()))}</a>
                    </div>
                    <Rows batch=rows shown many_sources=many caption="Connections that need attention, worst first" />
                </section>
            }
        })
    };
    view! {
        <Title text=title />
        {part(|o, _| headline(o))}
        {part(|o, _| totals(&o.totals, &ConnectionQuery::default()))}
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

/// What is so, in a sentence, and how well it is proved, in another.
fn headline(o: &Overview) -> AnyView {
    let (all, attention) = (o.totals.all(), o.totals.attention());
    let waiting = o.totals.of(Health::ReauthorizationRequired);
    let first = match (all, attention) {
        (0, _) => "No connections have been seen yet".to_owned(),
        (1, 0) => "The one connection is well".to_owned(),
        (all, 0) => format!("All {} connections are well", text::count(all)),
        (all, 1) => format!("1 of {} needs attention", text::counted(all, "connection", "connections")),
        (all, n) => format!("{} of {} need attention", text::count(n), text::counted(all, "connection", "connections")),
    };
    let second = (waiting > 0).then(|| {
        let mut names: Vec<_> = o.worst.iter().filter(|c| c.health == Health::ReauthorizationRequired).map(|c| c.customer.name.clone()).collect();
        let complete = names.len() as u64 == waiting;
        names.dedup();
        match (complete, names.as_slice()) {
            (true, [one]) => format!("{one} must sign in again"),
            (true, [one, two]) => format!("{one} and {two} must sign in again"),
            (true, names) => format!("{} customers must sign in again", names.len()),
            (false, _) => format!("{} of them wait for a customer to sign in again", text::count(waiting)),
        }
    });
    let rest: Vec<_> = [Health::Offline, Health::Failing, Health::Late, Health::Unstable, Health::Unknown, Health::FirstSync, Health::Paused]
        .into_iter()
        .filter_map(|health| match o.totals.of(health) {
            0 => None,
            1 => Some(format!("1 {}", text::is(health))),
            n => Some(format!("{} {}", text::count(n), text::are(health))),
        })
        .collect();
    let healthy = format!("{} are healthy", text::count(o.totals.of(Health::Healthy)));
    let states = std::iter::once(healthy).chain(rest).collect::<Vec<_>>().join(", ");
    let proof = o.oldest_proof_seconds.map(|age| format!(" Nothing shown as known rests on a proof older than {}.", text::span(age)));
    let first_round = "The first round of polling is under way; they appear here by themselves.";
    view! {
        <h1 class="said">{first}"." {second.map(|second| view! { " "<em>{second}"."</em> })}</h1>
        <p class="lede">{if all == 0 { first_round.to_owned() } else { format!("{states}.{}", proof.unwrap_or_default()) }}</p>
    }
    .into_any()
}

/// What cannot be seen, and since when.
fn blind(source: &Source, now: Moment) -> Option<AnyView> {
    let since = source.round.failing_since?;
    let why = source.round.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
    let many = text::counted(source.connections, "connection", "connections");
    Some(
        view! {
            <section class="banner" role="status">
                <div>
                    <h2>"Linewatch cannot see “"{source.name.clone()}"” for "{now.since(since)}</h2>
                    <p>{format!("{why} What is shown of its {many} is what webhooks still say, and turns unknown as its proof ages. It is no fault of the customers.")}</p>
                </div>
                <a class="btn" href=format!("/settings/sources/{}", source.id)>"See the source"</a>
            </section>
        }
        .into_any(),
    )
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
