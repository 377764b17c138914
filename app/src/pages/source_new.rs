//! Settings: a new source.

use crate::{
    calls::sources::AddSource,
    parts::{
        field::Fields,
        ours::wrong,
        refused::{focus_wrong, refused_note},
        source_fields::source_fields,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

/// The screen.
#[component]
pub(crate) fn NewSourcePage() -> impl IntoView {
    let add = ServerAction::<AddSource>::new();
    let error = move || add.value().get().and_then(Result::err);
    focus_wrong(error);
    let before = add.value().get_untracked().and_then(Result::err);
    let fields =
        Fields { group: "form", wrong: Signal::derive(move || error().as_ref().map(wrong).unwrap_or_default()) };
    view! {
        <Title text="Add a source" />
        <nav class="crumbs" aria-label="You are here">
            <a href="/settings">"Sources"</a>
            <span aria-hidden="true">" / "</span>
            <span>"New"</span>
        </nav>
        <h1>"Add a Makini account to watch."</h1>
        <p class="lede">"Only the first group must be filled in; everything else says what is usual. Adding it starts the first round of polling."</p>
        <ActionForm action=add attr:class="form wide-form">
            <input type="hidden" name="form[enabled]" value="on" />
            {source_fields(&fields, None, before.as_ref())}
            {move || error().map(|error| refused_note(&error))}
            <div class="acts">
                <button class="btn first" disabled=move || add.pending().get()>"Add the source"</button>
                <a class="btn quiet" href="/settings">"Cancel"</a>
            </div>
        </ActionForm>
    }
}
