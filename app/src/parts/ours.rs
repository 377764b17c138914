//! What is ours on a connection: owner, tags, cadence, note. A plain form; it keeps what is being typed while the page lives.

use super::{
    field::{Field, Fields, Line},
    refused::{focus_wrong, refused_note},
    text,
    toast::use_toasts,
};
use crate::{
    calls::{CallError, connections::ChangeConnection},
    live::Refetch,
};
use leptos::prelude::*;
use model::{CadenceFrom, ConnectionDetail, Refusal};

/// The form.
#[component]
pub(crate) fn Ours(
    /// The connection as it was when the form was opened.
    detail: ConnectionDetail,
    /// Asks for the connection again.
    refetch: Refetch,
) -> impl IntoView {
    let change = ServerAction::<ChangeConnection>::new();
    let toasts = use_toasts();
    Effect::new(move |_| {
        if let Some(Ok(())) = change.value().get() {
            toasts.say("Saved");
            refetch.nudge();
        }
    });
    let error = move || change.value().get().and_then(Result::err);
    focus_wrong(error);
    let before = change.value().get_untracked().and_then(Result::err);
    let kept = |field: &str, stored: String| {
        before.as_ref().and_then(|error| error.typed(field)).map_or(stored, str::to_owned)
    };
    let fields =
        Fields { group: "form", wrong: Signal::derive(move || error().as_ref().map(wrong).unwrap_or_default()) };
    let c = &detail.connection;
    let cadence =
        c.cadence_seconds.filter(|_| c.cadence_from == Some(CadenceFrom::Set)).map(text::duration).unwrap_or_default();
    let field = |name, label, help| Field { name, label, help };
    let (id, open) = (c.id.to_string(), before.is_some());
    let inputs = [
        fields.line(
            field("owner", "Owner", "Who looks after it on your side."),
            kept("owner", c.owner.clone().unwrap_or_default()),
            Line::default(),
        ),
        fields.line(
            field("tags", "Tags", "Separated by commas; the list can be filtered by them."),
            kept("tags", c.tags.join(", ")),
            Line::default(),
        ),
        fields.line(
            field(
                "cadence_seconds",
                "Expected sync",
                "Like 15 min, 2 h or 1 day. Empty: as Makini plans it, or learned.",
            ),
            kept("cadence_seconds", cadence),
            Line::default(),
        ),
        fields.lines(
            field("note", "Note", "For colleagues; customers never see it."),
            kept("note", detail.note.clone().unwrap_or_default()),
            3,
            false,
        ),
    ];
    let inputs = inputs.into_iter().collect::<Vec<_>>();
    view! {
        <details class="ours" open=open>
            <summary>"Edit owner, tags, cadence and note"</summary>
            <ActionForm action=change attr:class="form">
                <input type="hidden" name="form[id]" value=id />
                {inputs}
                {move || error().map(|error| refused_note(&error))}
                <div class="acts">
                    <button class="btn first" disabled=move || change.pending().get()>"Save"</button>
                </div>
            </ActionForm>
        </details>
    }
}

/// What is wrong, by field.
pub(crate) fn wrong(error: &CallError) -> Vec<(String, String)> {
    match &error.refusal {
        Refusal::Invalid(errors) => errors.iter().map(|error| (error.field.clone(), error.message.clone())).collect(),
        _ => Vec::new(),
    }
}
