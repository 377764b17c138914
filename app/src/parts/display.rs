//! Light or dark, comfortable or compact: kept in cookies, so that the server knows before the first paint.

use super::time::use_clock;
use crate::browser::{self, Look};
use leptos::prelude::*;

/// The two choices. They need wasm, so they rest until the page is alive.
#[component]
pub(crate) fn Display() -> impl IntoView {
    let clock = use_clock();
    let look = RwSignal::new(Look::default());
    Effect::new(move |_| look.set(browser::look()));
    let choose = move |change: fn(&mut Look)| {
        look.update(change);
        browser::set_look(&look.get_untracked());
    };
    let theme = move |words: &'static str, theme: Option<&'static str>, change: fn(&mut Look)| {
        let on = move || if look.with(|look| look.theme == theme) { "true" } else { "false" };
        view! { <button type="button" aria-pressed=on on:click=move |_| choose(change)>{words}</button> }.into_any()
    };
    let compact = move || if look.with(|look| look.density.is_some()) { "true" } else { "false" };
    let dense = move |_| {
        choose(|look| look.density = if look.density.is_some() { None } else { Some("compact") });
    };
    view! {
        <fieldset class="display" disabled=move || !clock.is_ticking()>
            <legend class="sr">"Display"</legend>
            <span class="segments">
                {theme("Auto", None, |look| look.theme = None)}
                {theme("Light", Some("light"), |look| look.theme = Some("light"))}
                {theme("Dark", Some("dark"), |look| look.theme = Some("dark"))}
            </span>
            <button type="button" class="dense" aria-pressed=compact on:click=dense>"Compact rows"</button>
        </fieldset>
    }
}
