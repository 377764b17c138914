//! Settings: a new source.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::sources::AddSource,
    live::Refetch,
    parts::{field::Fields, post::Post, source_fields::source_fields},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::Role;

/// The screen.
#[component]
pub(crate) fn NewSourcePage() -> impl IntoView {
    screen(ask(|| Question::Sources, Refetch::by_hand()), full)
}

fn full(latest: Latest) -> AnyView {
    view! {
        <Title text="Add a source" />
        <nav class="crumbs" aria-label="You are here">
            <a href="/settings">"Sources"</a>
            <span aria-hidden="true">" / "</span>
            <span>"New"</span>
        </nav>
        <h1>"Add a Makini account to watch."</h1>
        <p class="lede">
            "Only the first group must be filled in; everything else says what is usual. Adding it starts the first round of polling."
        </p>
        {if may(latest, Role::Admin) { form() } else { others() }}
    }
    .into_any()
}

fn form() -> AnyView {
    let add = Post::new(AddSource::PATH, "", || ());
    let inner = view! {
        <input type="hidden" name="form[enabled]" value="on" />
        {source_fields(Fields { group: "form", post: add }, None)}
        {add.note()}
        <div class="acts">
            <button class="btn first" disabled=move || add.busy.get()>"Add the source"</button>
            <a class="btn quiet" href="/settings">"Cancel"</a>
        </div>
    };
    add.form("form wide-form", inner.into_any())
}

fn others() -> AnyView {
    view! { <p class="note">{format!("Sources are added by the role “{}”.", Role::Admin.words())}</p> }.into_any()
}
