//! One connection: what, since when, why, what to do next, and how we know.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::connections::Story,
    live::Refetch,
    parts::{
        evidence::evidence,
        facts::facts,
        mark::mark,
        next_step::NextStep,
        ours::ours,
        text,
        time::{Moment, use_clock},
        time_bar::time_bar,
        timeline::timeline,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::ChangeTopic;

/// Draws a part from what is known of the connection.
type Draw = Box<dyn Fn(&Story, Moment) -> AnyView + Send + Sync>;

/// The screen.
#[component]
pub(crate) fn ConnectionScreen() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch = Refetch::when(move |change| {
        let ours = change.id == "*" || id.with_untracked(|id| *id == change.id);
        change.topic == ChangeTopic::Connection && ours
    });
    let question = move || Question::Connection { id: id.get(), older: query.with(|query| query.get("older")) };
    screen(ask(question, refetch), move |latest| full(latest, refetch))
}

/// The whole screen; built once for each connection, then each part follows the newest answer.
fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let (clock, query) = (use_clock(), use_query_map());
    let days = move || if query.with(|query| query.get_str("days") == Some("7")) { 7 } else { 1 };
    let older = move || query.with(|query| query.get_str("older").is_some());
    let with = move |draw: Draw| {
        part(latest, move |got| match got.story() {
            Some(story) => draw(story, clock.moment(story.as_of)),
            None => ().into_any(),
        })
    };
    let part = move |draw: fn(&Story, Moment) -> AnyView| with(Box::new(draw));
    let name = move |say: fn(&Story) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::story).map(say).unwrap_or_default())
    };
    let title = move || {
        name(|story| {
            let c = &story.detail.connection;
            format!("{} – {}", c.customer.name, text::is(c.health))
        })
    };
    let crumb = move || {
        name(|story| {
            let c = &story.detail.connection;
            format!("{}, {}", c.customer.name, c.platform.name)
        })
    };
    view! {
        <Title text=asking::title(title) />
        <nav class="crumbs" aria-label="You are here">
            <a href="/connections">"Connections"</a>
            <span aria-hidden="true">" / "</span>
            <span>{crumb}</span>
        </nav>
        <div class="cols">
            <div>
                {part(headline)}
                <NextStep latest refetch />
                <section aria-labelledby="known">
                    <h2 id="known">"How we know"</h2>
                    {part(|story, now| evidence(&story.detail, &story.evidence, now))}
                </section>
                <section>{with(Box::new(move |s, now| time_bar(&s.detail, &s.recent, days(), now)))}</section>
                <section aria-labelledby="timeline">
                    <h2 id="timeline">"Timeline"</h2>
                    {with(Box::new(move |s, now| timeline(&s.timeline, older(), days(), now)))}
                </section>
                <details class="raw">
                    <summary>"Everything Makini says of it"</summary>
                    <pre tabindex="0">{part(raw)}</pre>
                </details>
            </div>
            <aside aria-label="Facts">
                {part(|story, now| facts(&story.detail, now))}
                {part(|story, _| story.detail.note.clone().map(|note| view! { <p class="written">{note}</p> }).into_any())}
                {latest.with_untracked(|got| got.as_ref().and_then(Got::story).map(|story| ours(&story.detail, refetch)))}
            </aside>
        </div>
    }
    .into_any()
}

fn raw(story: &Story, _now: Moment) -> AnyView {
    format!("{:#}", story.detail.upstream).into_any()
}

/// What, since when, why.
fn headline(story: &Story, now: Moment) -> AnyView {
    let detail = &story.detail;
    let c = &detail.connection;
    let (who, is, rest) = text::headline(c);
    let why = c.cause.as_ref().map(|cause| format!(" {}", sentence(&cause.summary)));
    let gone = detail.removed_at.map(|at| {
        view! { <p class="note">"It was removed upstream "{now.ago(at)}". Its history stays."</p> }.into_any()
    });
    let stopped = c
        .last_good_sync_at
        .filter(|_| c.health.needs_attention())
        .map(|at| view! { " Data last arrived "{now.ago(at)}"." }.into_any());
    view! {
        <div class=format!("headline {}", c.health) data-connection=c.id.to_string() data-health=c.health.code()>
            <h1>{mark(c.health)}{who}" "<em>{is}</em>{rest}</h1>
            <p class="lede">"For "{now.since(c.since)}" now."{why}{stopped}</p>
        </div>
        {gone}
    }
    .into_any()
}

/// Ends a text as a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
