//! Trying a source out, step by step. A plain form asks for the same page with `test=1`, so it works without wasm too.

use super::refused::refused_note;
use crate::{
    asking::{Question, ask},
    live::Refetch,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use model::{SourceId, SourceTest};

/// The button and what came of it.
#[component]
pub(crate) fn Trial(
    /// Which source.
    id: SourceId,
) -> impl IntoView {
    let query = use_query_map();
    let (pressed, busy) = (RwSignal::new(false), RwSignal::new(false));
    let wanted = move || pressed.get() || query.with(|query| query.get_str("test").is_some());
    let refetch = Refetch::by_hand();
    let question = move || if wanted() { Question::Trial(id.to_string()) } else { Question::Nothing };
    let asked = ask(question, refetch);
    let press = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        busy.set(true);
        if wanted() { refetch.nudge() } else { pressed.set(true) }
    };
    view! {
        <section class="trial" aria-labelledby="trial">
            <h2 id="trial">"Try it out"</h2>
            <p class="muted">"Asks Makini for a token and a page of connections with the stored credentials. Changes nothing."</p>
            <form method="get" action=format!("/settings/sources/{id}") on:submit=press>
                <input type="hidden" name="test" value="1" />
                <button class="btn" disabled=move || busy.get()>
                    {move || if busy.get() { "Testing…" } else { "Test the connection" }}
                </button>
            </form>
            <Transition fallback=|| ()>
                {
                    Effect::new(move |_| {
                        asked.got();
                        busy.set(false);
                    });
                    move || asked.got().map(|got| match (got.trial(), &got.result) {
                        (Some(test), _) => steps(test),
                        (None, Err(error)) => refused_note(error),
                        (None, Ok(_)) => ().into_any(),
                    })
                }
            </Transition>
        </section>
    }
}

fn steps(test: &SourceTest) -> AnyView {
    let rows: Vec<_> = test
        .steps
        .iter()
        .map(|step| {
            view! {
                <li class=if step.ok { "ok" } else { "failed" }>
                    <i class="sign" aria-hidden="true"></i>
                    <div>
                        <p class="strong">{step.name.clone()}<span class="sr">{if step.ok { ": worked" } else { ": failed" }}</span></p>
                        <p class="sub">{step.detail.clone()}</p>
                    </div>
                    <span class="when">{format!("{} ms", step.duration_ms)}</span>
                </li>
            }
            .into_any()
        })
        .collect();
    let words = if test.ok { "Every step worked." } else { "It stopped at the step that failed." };
    view! {
        <p class=if test.ok { "note good" } else { "note bad" } role="status">{words}</p>
        <ol class="log steps">{rows}</ol>
    }
    .into_any()
}
