//! Trying a source out, step by step. A plain form asks for the same page with `test=1`, so it works without wasm too.

use super::refused::refused_note;
use crate::calls;
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
    let presses = RwSignal::new(0u32);
    let wanted = move || query.with(|query| query.get_str("test").is_some()) || presses.get() > 0;
    let test = Resource::new(
        move || (wanted(), presses.get()),
        move |(wanted, _)| async move { if wanted { Some(calls::sources::test_source(id).await) } else { None } },
    );
    let press = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        presses.update(|n| *n += 1);
    };
    view! {
        <section class="trial" aria-labelledby="trial">
            <h2 id="trial">"Try it out"</h2>
            <p class="muted">"Asks Makini for a token and a page of connections with the stored credentials. Changes nothing."</p>
            <form method="get" action=format!("/settings/sources/{id}") on:submit=press>
                <input type="hidden" name="test" value="1" />
                <button class="btn">"Test the connection"</button>
            </form>
            <Suspense fallback=|| view! { <p class="note" role="status">"Trying: token, list, one connection…"</p> }>
                {move || test.get().flatten().map(|result| match result {
                    Ok(test) => steps(&test),
                    Err(error) => refused_note(&error),
                })}
            </Suspense>
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
