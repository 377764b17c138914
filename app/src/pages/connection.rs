//! One connection: what, since when, why, what to do next, and how we know.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::{connections::Story, history::History},
    live::Refetch,
    parts::{
        abilities::abilities,
        availability::availability,
        by_hand::by_hand,
        evidence::evidence,
        facts::facts,
        hands::Hands,
        headline::{crumbs, headline},
        its_issues::its_issues,
        looking::Looking,
        next_step::next_step,
        ours::ours,
        reconnect::reconnect,
        refused::refused_note,
        syncs::syncs,
        text,
        time::{Moment, use_clock},
        time_bar::time_bar,
        timeline::timeline,
        told::told,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::ChangeTopic;
use std::time::Duration;

/// Draws a part from what is known of the connection.
type Draw = Box<dyn Fn(&Story, Moment) -> AnyView + Send + Sync>;

/// Draws a part from its past.
type DrawPast = Box<dyn Fn(&History, Moment) -> AnyView + Send + Sync>;

/// The screen.
#[component]
pub(crate) fn ConnectionScreen() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let looking = Memo::new(move |_| query.with(Looking::read));
    // Issues have ids of their own; one of another connection costs a question.
    let of_ours = move |topics: &'static [ChangeTopic]| {
        Refetch::when(move |change| {
            let ours = change.id == "*" || id.with_untracked(|id| *id == change.id);
            topics.contains(&change.topic) && (ours || change.topic == ChangeTopic::Issue)
        })
    };
    // a proof that is only renewed is no news, and yet a page that stays open shows how old it is
    let refetch = of_ours(&[ChangeTopic::Connection, ChangeTopic::Issue]).every(Duration::from_secs(10));
    let question = move || Question::Connection { id: id.get(), older: looking.with(|looking| looking.older.clone()) };
    let past = move || {
        looking.with(|looking| Question::History { id: id.get(), days: looking.up, synced: looking.synced.clone() })
    };
    let past = ask(past, of_ours(&[ChangeTopic::Connection]));
    screen(ask(question, refetch), move |latest| full(latest, past.latest(), looking, refetch))
}

/// The whole screen; built once for each connection, then each part follows the newest answer.
fn full(latest: Latest, past: Latest, looking: Memo<Looking>, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let hands = Hands::new(latest, refetch);
    let told_of = Memo::new(move |_| {
        latest.with(|got| {
            got.as_ref().and_then(Got::story).map(|s| s.detail.connection.id.to_string()).unwrap_or_default()
        })
    });
    let with = move |draw: Draw| {
        part(latest, move |got| match got.story() {
            Some(story) => draw(story, clock.moment(story.as_of)),
            None => ().into_any(),
        })
    };
    let part = move |draw: fn(&Story, Moment) -> AnyView| with(Box::new(draw));
    let past_part = move |draw: DrawPast| {
        asking::part(past, move |got| match got.history() {
            Some(history) => draw(history, clock.moment(history.as_of)),
            None => ().into_any(),
        })
    };
    let past_refused =
        move || past.with(|got| got.as_ref().and_then(|got| got.result.as_ref().err()).map(refused_note));
    let title = move || {
        latest.with(|got| {
            let c = got.as_ref().and_then(Got::story).map(|story| &story.detail.connection);
            c.map(|c| format!("{} – {}", c.customer.name, text::is(c.health))).unwrap_or_default()
        })
    };
    view! {
        <Title text=asking::title(title) />
        {part(crumbs)}
        <div class="cols">
            <div>
                {part(headline)}
                {next_step(hands)}
                {part(|story, now| its_issues(&story.issues, now))}
                {told(move || told_of.get())}
                {reconnect(hands)}
                {by_hand(hands, past)}
                <section aria-labelledby="known">
                    <h2 id="known">"How we know"</h2>
                    {part(|story, now| evidence(&story.detail, &story.evidence, now))}
                </section>
                <section>{with(Box::new(move |s, now| looking.with(|l| time_bar(&s.detail, &s.recent, l, now))))}</section>
                {past_refused}
                <section>{past_part(Box::new(move |past, _| looking.with(|l| availability(&past.availability, l))))}</section>
                <section aria-labelledby="syncs">
                    <h2 id="syncs">"Syncs"</h2>
                    {past_part(Box::new(move |past, now| looking.with(|l| syncs(&past.syncs, l, now))))}
                </section>
                <section aria-labelledby="can-do">
                    <h2 id="can-do">"What it can do"</h2>
                    {past_part(Box::new(|past, now| abilities(&past.capabilities, now)))}
                </section>
                <section aria-labelledby="timeline">
                    <h2 id="timeline">"Timeline"</h2>
                    {with(Box::new(move |s, now| looking.with(|l| timeline(&s.timeline, l, now))))}
                </section>
                <details class="raw">
                    <summary>"Everything Makini says of it"</summary>
                    <pre tabindex="0">{part(raw)}</pre>
                </details>
            </div>
            <aside aria-label="Facts">
                {part(|story, now| facts(&story.detail, now))}
                {part(|story, _| story.detail.note.clone().map(|note| view! { <p class="written">{note}</p> }).into_any())}
                {latest.with_untracked(|got| got.as_ref().filter(|_| hands.may).and_then(Got::story).map(|story| ours(&story.detail, refetch)))}
            </aside>
        </div>
    }
    .into_any()
}

fn raw(story: &Story, _now: Moment) -> AnyView {
    format!("{:#}", story.detail.upstream).into_any()
}
