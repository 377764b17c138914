//! An empty place that says what would appear there and how to get it.

use leptos::prelude::*;

/// A heading, a sentence and, below, what to do.
#[component]
pub(crate) fn Empty(
    /// What is so.
    #[prop(into)]
    title: String,
    /// What would appear here.
    #[prop(into)]
    text: String,
    /// What to do about it.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="empty">
            <i class="empty-line" aria-hidden="true"></i>
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="acts">{children()}</div>
        </section>
    }
}

/// Stands in for what is being asked; appears only when the answer takes its time.
pub(crate) fn waiting() -> AnyView {
    view! {
        <div class="waiting" role="status">
            <span class="sr">"Loading"</span>
            <i></i>
            <i></i>
            <i></i>
        </div>
    }
    .into_any()
}
