//! What came: its payload laid out and redacted, as it came when somebody asks for it, and its headers.

use super::refused::refused_note;
use crate::{
    asking::{Question, ask},
    live::Refetch,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use model::{EventDetail, Role};

/// The payload as it may be shown.
pub(crate) fn payload(event: &EventDetail, json: Option<&str>) -> AnyView {
    match (json, &event.payload) {
        (Some(json), _) => view! { <pre tabindex="0" class="payload">{json.to_owned()}</pre> }.into_any(),
        (None, Some(text)) => view! { <pre tabindex="0" class="payload">{text.clone()}</pre> }.into_any(),
        (None, None) => {
            view! { <p class="faint">{format!("Payloads are shown from the role “{}” on.", Role::Support.words())}</p> }
                .into_any()
        }
    }
}

/// “Show as it came”. A plain form asks for the same page with `reveal=1`, so it works without wasm too; it is asked for once,
/// because each time is written down.
pub(crate) fn reveal(id: String) -> AnyView {
    let (query, location) = (use_query_map(), use_location());
    let pressed = RwSignal::new(false);
    let wanted = move || pressed.get() || query.with(|query| query.get_str("reveal").is_some());
    let asks = id.clone();
    let asked =
        ask(move || if wanted() { Question::Revealed(asks.clone()) } else { Question::Nothing }, Refetch::by_hand());
    let press = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        pressed.set(true);
    };
    let open = query.with_untracked(|query| query.get("open"));
    view! {
        <form method="get" action=location.pathname.get_untracked() class="reveal" hidden=wanted on:submit=press>
            {open.map(|open| view! { <input type="hidden" name="open" value=open /> })}
            <input type="hidden" name="reveal" value="1" />
            <button class="btn small">"Show as it came"</button>
            <span class="help">"With every hidden value. That you have seen it is written down."</span>
        </form>
        <Transition fallback=|| ()>
            {move || asked.got().map(|got| match (got.revealed(), &got.result) {
                (Some(revealed), _) => {
                    let text = if revealed.json.is_null() { revealed.payload.clone() } else { format!("{:#}", revealed.json) };
                    view! {
                        <p class="note warn" role="status">"As it came, with every value. That you have seen it is written down."</p>
                        <pre tabindex="0" class="payload revealed">{text}</pre>
                    }.into_any()
                }
                (None, Err(error)) => refused_note(error),
                (None, Ok(_)) => ().into_any(),
            })}
        </Transition>
    }
    .into_any()
}

/// Names and values.
pub(crate) fn headers(headers: &[(String, String)]) -> AnyView {
    if headers.is_empty() {
        return view! { <p class="faint">"None were kept."</p> }.into_any();
    }
    let rows: Vec<_> = headers
        .iter()
        .map(|(name, value)| view! { <dt>{name.clone()}</dt><dd><code>{value.clone()}</code></dd> }.into_any())
        .collect();
    view! { <dl class="facts headers">{rows}</dl> }.into_any()
}
