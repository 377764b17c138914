//! Health as shape, word and colour; never colour alone. The shapes are drawn by `style/mark.css`.

use leptos::prelude::*;
use model::Health;

/// The shape alone, beside something that says the word.
pub(crate) fn mark(health: Health) -> AnyView {
    view! { <i class=format!("mark {health}") aria-hidden="true"></i> }.into_any()
}

/// Shape and word.
pub(crate) fn badge(health: Health) -> AnyView {
    view! { <span class=format!("health {health}")>{mark(health)}<span>{health.words()}</span></span> }.into_any()
}

/// Shape and other words, in the colour of a health.
pub(crate) fn badge_saying(health: Health, words: &str) -> AnyView {
    view! { <span class=format!("health {health}")>{mark(health)}<span>{words.to_owned()}</span></span> }.into_any()
}
