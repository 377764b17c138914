//! What is done with an endpoint: tested, switched, given a new secret, taken away.

use super::{attempts, copy::Copy, post::Post, refused::refused_note, text, time::use_clock};
use crate::{
    asking::{Got, Latest, Question, ask},
    calls::endpoints::{EndpointStory, RemoveEndpoint, RotateEndpoint, SwitchEndpoint},
    live::Refetch,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use model::{EndpointId, Role};

/// The newest secret, shown once: it stays here as long as the page does.
pub(crate) fn told(latest: Latest) -> AnyView {
    let told = |got: &Option<Got>| got.as_ref()?.endpoint()?.told.clone();
    let made = RwSignal::new(latest.with_untracked(told));
    Effect::new(move |_| {
        if let Some(secret) = latest.with(told) {
            made.set(Some(secret));
        }
    });
    let shown = move |secret: String| {
        let copied = secret.clone();
        view! {
            <div class="note good made" role="status">
                <p class="strong">"This secret signs what is sent. Copy it now: it is not shown again."</p>
                <div class="address">
                    <code>{secret}</code>
                    <Copy text=move || copied.clone() label="Copy secret" what="Secret" class="small" />
                </div>
            </div>
        }
        .into_any()
    };
    (move || made.get().map(shown)).into_any()
}

/// “Send a test event”, and what was really answered. A plain form asks for the same page with `test=1`.
pub(crate) fn trial(id: EndpointId) -> AnyView {
    let (query, clock) = (use_query_map(), use_clock());
    let (pressed, busy) = (RwSignal::new(false), RwSignal::new(false));
    let wanted = move || pressed.get() || query.with(|query| query.get_str("test").is_some());
    let refetch = Refetch::by_hand();
    let asked =
        ask(move || if wanted() { Question::EndpointTrial(id.to_string()) } else { Question::Nothing }, refetch);
    let press = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        busy.set(true);
        if wanted() { refetch.nudge() } else { pressed.set(true) }
    };
    view! {
        <form method="get" action=format!("/webhooks/endpoints/{id}") on:submit=press>
            <input type="hidden" name="test" value="1" />
            <button class="btn" disabled=move || busy.get()>{move || if busy.get() { "Sending…" } else { "Send a test event" }}</button>
        </form>
        <Transition fallback=|| ()>
            {
                Effect::new(move |_| {
                    asked.got();
                    busy.set(false);
                });
                move || asked.got().map(|got| match (got.endpoint_trial(), &got.result) {
                    (Some(sent), _) => {
                        let now = clock.moment(got.as_of().unwrap_or_default());
                        view! { <div class="trial-answer" role="status">{attempts::sent(std::slice::from_ref(sent), now)}</div> }.into_any()
                    }
                    (None, Err(error)) => refused_note(error),
                    (None, Ok(_)) => ().into_any(),
                })
            }
        </Transition>
    }
    .into_any()
}

/// On and off, a new secret, and away; each asks once where it cannot be undone.
pub(crate) fn acts(latest: Latest, id: EndpointId, refetch: Refetch) -> AnyView {
    let switch = Post::new(SwitchEndpoint::PATH, "", move || refetch.nudge());
    let rotate = Post::new(RotateEndpoint::PATH, "The new secret signs from now on.", move || refetch.nudge());
    let remove = Post::new(RemoveEndpoint::PATH, "Endpoint removed.", || ());
    let read = move |read: fn(&EndpointStory) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::endpoint).map(read).unwrap_or_default())
    };
    let on = Memo::new(move |_| {
        latest.with(|got| got.as_ref().and_then(Got::endpoint).is_some_and(|story| story.endpoint.enabled))
    });
    let may = Memo::new(move |_| {
        latest.with(|got| got.as_ref().and_then(Got::endpoint).is_some_and(|story| story.role >= Role::Admin))
    });
    let given = id.to_string();
    let (to_switch, to_rotate) = (given.clone(), given.clone());
    let switching = view! {
        <p>{move || if on.get() {
            "Nothing is sent any more. What is due waits, and its 24 hours stand still."
        } else {
            "What waits is sent from now on, as fast as the endpoint allows."
        }}</p>
        <input type="hidden" name="id" value=to_switch />
        <input type="hidden" name="to" value=move || if on.get() { "off" } else { "on" } />
        <button class="btn" disabled=move || switch.busy.get()>{move || if on.get() { "Switch it off" } else { "Switch it on" }}</button>
    };
    let rotating = view! {
        <p>"Each delivery is signed with the new secret. The old one signs beside it for 24 hours, so nothing is lost while you change it."</p>
        <input type="hidden" name="id" value=to_rotate />
        <button class="btn" disabled=move || rotate.busy.get()>"Make a new secret"</button>
    };
    let removing = view! {
        <p>{move || read(|story| match story.endpoint.waiting {
            0 => "It gets no more events. What was delivered stays to be seen.".to_owned(),
            n => format!("{} that wait go with it. What was delivered stays to be seen.", text::counted(n, "delivery", "deliveries")),
        })}</p>
        <input type="hidden" name="id" value=given />
        <button class="btn danger" disabled=move || remove.busy.get()>"Remove this endpoint"</button>
    };
    view! {
        <section aria-labelledby="acts" hidden=move || !may.get()>
            <h2 id="acts">"By hand"</h2>
            {trial(id)}
            <ul class="plain-list endpoint-acts">
                <li><details class="confirm"><summary>{move || if on.get() { "Switch off" } else { "Switch on" }}</summary>{switch.form("", switching.into_any())}</details></li>
                <li><details class="confirm"><summary>"New secret"</summary>{rotate.form("", rotating.into_any())}</details></li>
                <li><details class="confirm"><summary>"Remove"</summary>{remove.form("", removing.into_any())}</details></li>
            </ul>
            {switch.note()}
            {rotate.note()}
            {remove.note()}
        </section>
    }
    .into_any()
}
