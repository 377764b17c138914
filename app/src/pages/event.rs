//! One webhook received: what became of it, what came, and where it went.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::{events::EventStory, failures::RetryOne},
    live::Refetch,
    parts::{
        attempts,
        delivery_list::{Shows, deliveries, retry_form},
        event_facts::event_facts,
        payload::{headers, payload, reveal},
        post::Post,
        time::{Moment, use_clock},
        webhook_tabs::crumbs,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{ChangeTopic, EventState, Role};
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn EventPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch =
        Refetch::when(move |change| change.topic == ChangeTopic::Event && id.with_untracked(|id| *id == change.id))
            .every(Duration::from_secs(5));
    screen(ask(move || Question::Event(id.get()), refetch), move |latest| full(latest, refetch))
}

fn kind(story: &EventStory) -> String {
    story.event.event.kind.clone().unwrap_or_else(|| "Webhook without a kind".to_owned())
}

/// What became of it, in a sentence.
fn sentence(story: &EventStory) -> String {
    let failed = story.deliveries.iter().filter(|one| one.state == model::DeliveryState::Failed).count();
    let became = match story.event.event.state {
        EventState::Processed => "was processed",
        EventState::Failed => "could not be processed",
        EventState::Pending => "waits to be processed",
        EventState::Superseded => "came too late to count",
        EventState::Unrecognised => "is of a kind that no mapping names",
    };
    let went = match (story.deliveries.len(), failed) {
        (0, _) => String::new(),
        (_, 0) => String::new(),
        (_, 1) => ", and did not reach one endpoint".to_owned(),
        (_, n) => format!(", and did not reach {n} endpoints"),
    };
    format!("{} {became}{went}.", kind(story))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let part = move |draw: fn(&EventStory, Moment) -> AnyView| {
        part(latest, move |got| match got.event() {
            Some(story) => draw(story, clock.moment(story.as_of)),
            None => ().into_any(),
        })
    };
    let retry = Post::new(RetryOne::PATH, "It is tried now.", move || refetch.nudge());
    let read = move |read: fn(&EventStory) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::event).map(read).unwrap_or_default())
    };
    let may = Memo::new(move |_| {
        latest.with(|got| {
            got.as_ref().and_then(Got::event).is_some_and(|story| {
                story.role >= Role::Support
                    && matches!(story.event.event.state, EventState::Failed | EventState::Unrecognised)
            })
        })
    });
    let id = latest.with_untracked(|got| {
        let story = got.as_ref().and_then(Got::event)?;
        (story.role >= Role::Support).then(|| story.event.event.id.to_string())
    });
    let retrying = view! {
        <input type="hidden" name="thing" value=move || read(|story| format!("processing:{}", story.event.event.id)) />
        <button class="btn first" data-key="r" hidden=move || !may.get() disabled=move || retry.busy.get()>"Process it again"</button>
    };
    let forwarded = asking::part(latest, move |got| match got.event() {
        Some(story) if story.deliveries.is_empty() => {
            view! { <p class="faint">"No endpoint asks for it."</p> }.into_any()
        }
        Some(story) => {
            let post = (story.role >= Role::Support).then_some(retry);
            deliveries(
                &story.deliveries,
                Shows { retry: post, by_endpoint: true, attempts: true },
                clock.moment(story.as_of),
            )
        }
        None => ().into_any(),
    });
    view! {
        <Title text=asking::title(move || read(sentence)) />
        {crumbs("/webhooks/events", "Events", "Event".to_owned())}
        <div class="cols">
            <div>
                {part(|story, _| view! { <h1 data-event=story.event.event.id.to_string() data-state=story.event.event.state.code()>{sentence(story)}</h1> }.into_any())}
                <div class="acts event-acts" hidden=move || !may.get()>{retry.form("", retrying.into_any())}</div>
                <p class="help" hidden=move || !may.get()>"It is processed at once and starts the schedule anew."</p>
                {retry_form(retry)}
                <section aria-labelledby="processing">
                    <h2 id="processing">"Processing"</h2>
                    {part(|story, now| attempts::tried(&story.event.event.attempts, now))}
                </section>
                <section aria-labelledby="forwarded">
                    <h2 id="forwarded">"Forwarded"</h2>
                    {forwarded}
                </section>
                <section aria-labelledby="payload">
                    <h2 id="payload">"Payload"</h2>
                    {part(|story, _| payload(&story.event, story.json.as_deref()))}
                    {id.map(reveal)}
                </section>
                <section aria-labelledby="headers">
                    <h2 id="headers">"Headers"</h2>
                    {part(|story, _| headers(&story.event.headers))}
                </section>
            </div>
            <aside aria-label="Facts">{part(event_facts)}</aside>
        </div>
    }
    .into_any()
}
