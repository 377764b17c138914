//! Whether this browser rings, and shows a desktop notice, when a critical problem is new. Kept in this browser alone.

use super::time::use_clock;
use crate::browser;
use leptos::prelude::*;

/// The switch. It needs wasm, so it rests until the page is alive.
#[component]
pub(crate) fn Ring() -> impl IntoView {
    let clock = use_clock();
    let wanted = RwSignal::new(false);
    Effect::new(move |_| wanted.set(browser::ring_wanted()));
    let press = move |_| {
        browser::want_ring(!wanted.get_untracked());
        wanted.set(browser::ring_wanted());
    };
    let on = move || if wanted.get() { "true" } else { "false" };
    view! {
        <fieldset class="display" disabled=move || !clock.is_ticking()>
            <legend class="sr">"Ring"</legend>
            <button type="button" class="dense" aria-pressed=on on:click=press title="A short tone and a desktop notice, in this browser">
                "Ring on new problems"
            </button>
        </fieldset>
    }
}
