//! The screens of one area, side by side.

use leptos::prelude::*;

/// The way to each: address and words; `here` is the address of the one that is open.
pub(crate) fn areas(name: &'static str, screens: &[(&'static str, &'static str)], here: &'static str) -> AnyView {
    let tab = |(href, words): &(&'static str, &'static str)| {
        view! { <a href=*href aria-current=(*href == here).then_some("page")>{*words}</a> }.into_any()
    };
    view! { <nav class="areas" aria-label=name>{screens.iter().map(tab).collect::<Vec<_>>()}</nav> }.into_any()
}
