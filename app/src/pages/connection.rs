//! One connection: what, since when, why, what to do next, and how we know.

use crate::{
    calls::{self, CallError, connections::Story},
    live::Refetch,
    parts::{
        empty::waiting,
        evidence::evidence,
        facts::facts,
        mark::mark,
        next_step::NextStep,
        ours::Ours,
        refused::refused_screen,
        text,
        time::{Moment, use_clock},
        time_bar::time_bar,
        timeline::timeline,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{ChangeTopic, ConnectionId, Refusal};

type Answer = (String, Result<Story, CallError>);

/// The screen.
#[component]
pub(crate) fn ConnectionScreen() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let older = Memo::new(move |_| query.with(|query| query.get("older")));
    let refetch = Refetch::when(move |change| {
        let ours = change.id == "*" || id.with_untracked(|id| *id == change.id);
        change.topic == ChangeTopic::Connection && ours
    });
    let answer = Resource::new(
        move || (id.get(), older.get(), refetch.round()),
        move |(id, older, _)| {
            let flight = refetch.depart();
            async move {
                let story = match id.parse::<ConnectionId>() {
                    Ok(known) => calls::connections::ask_connection(known, older).await,
                    Err(_) => Err(Refusal::NotFound("This connection".into()).into()),
                };
                drop(flight);
                (id, story)
            }
        },
    );
    view! {
        <Transition fallback=waiting>
            <Body answer refetch />
        </Transition>
    }
}

#[component]
fn Body(answer: Resource<Answer>, refetch: Refetch) -> impl IntoView {
    let clock = use_clock();
    let latest = Memo::new(move |before: Option<&Option<Answer>>| {
        let new = answer.get()?;
        match (&new.1, before.and_then(Option::as_ref)) {
            (Err(error), Some(good))
                if good.1.is_ok()
                    && good.0 == new.0
                    && matches!(error.refusal, Refusal::Unavailable(_) | Refusal::Internal(_)) =>
            {
                Some(good.clone())
            }
            _ => Some(new),
        }
    });
    let kind =
        Memo::new(move |_| latest.with(|l| l.as_ref().map(|(id, story)| (id.clone(), story.as_ref().err().cloned()))));
    let story = Memo::new(move |_| latest.with(|l| l.as_ref().and_then(|(_, story)| story.as_ref().ok().cloned())));
    Effect::new(move |_| {
        if let Some(as_of) = story.with(|story| story.as_ref().map(|story| story.as_of)) {
            clock.learn(as_of);
        }
    });
    move || match kind.get() {
        None => ().into_any(),
        Some((_, Some(error))) => refused_screen(error),
        Some((_, None)) => match story.get_untracked() {
            Some(first) => full(first, story, refetch),
            None => ().into_any(),
        },
    }
}

/// The whole screen; built once for each connection, then each part follows the newest answer.
fn full(first: Story, story: Memo<Option<Story>>, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let query = use_query_map();
    let days = Memo::new(move |_| if query.with(|query| query.get_str("days") == Some("7")) { 7 } else { 1 });
    let older = Memo::new(move |_| query.with(|query| query.get_str("older").is_some()));
    let start = first.clone();
    let now = Signal::derive(move || {
        clock.moment(story.with(|story| story.as_ref().map_or(start.as_of, |story| story.as_of)))
    });
    let (kept, initial) = (first.detail.clone(), first.detail.clone());
    let detail = Signal::derive(move || {
        story.with(|story| story.as_ref().map_or_else(|| kept.clone(), |story| story.detail.clone()))
    });
    let part = move |draw: fn(&Story, Moment) -> AnyView| {
        move || story.with(|story| story.as_ref().map(|story| draw(story, now.get())))
    };
    let title = move || {
        detail.with(|detail| format!("{} – {}", detail.connection.customer.name, text::is(detail.connection.health)))
    };
    view! {
        <Title text=title />
        <nav class="crumbs" aria-label="You are here">
            <a href="/connections">"Connections"</a>
            <span aria-hidden="true">" / "</span>
            <span>{move || detail.with(|d| format!("{}, {}", d.connection.customer.name, d.connection.platform.name))}</span>
        </nav>
        <div class="cols">
            <div>
                {part(headline)}
                <NextStep detail now refetch />
                <section aria-labelledby="known">
                    <h2 id="known">"How we know"</h2>
                    {part(|story, now| evidence(&story.detail, &story.evidence, now))}
                </section>
                <section>
                    {move || story.with(|story| story.as_ref().map(|s| time_bar(&s.detail, &s.recent, days.get(), now.get())))}
                </section>
                <section aria-labelledby="timeline">
                    <h2 id="timeline">"Timeline"</h2>
                    {move || story.with(|story| story.as_ref().map(|s| timeline(&s.timeline, older.get(), days.get(), now.get())))}
                </section>
                <details class="raw">
                    <summary>"Everything Makini says of it"</summary>
                    <pre tabindex="0">{part(|story, _| leptos::serde_json::to_string_pretty(&story.detail.upstream).unwrap_or_default().into_any())}</pre>
                </details>
            </div>
            <aside aria-label="Facts">
                {part(|story, now| facts(&story.detail, now))}
                {part(|story, _| story.detail.note.clone().map(|note| view! { <p class="written">{note}</p> }).into_any())}
                <Ours detail=initial refetch />
            </aside>
        </div>
    }
    .into_any()
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
