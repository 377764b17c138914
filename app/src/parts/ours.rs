//! What is ours on a connection: owner, tags, cadence, note. A plain form; it keeps what is being typed while the page lives.

use super::{
    field::{Field, Fields, Line},
    post::Post,
    text,
};
use crate::{calls::connections::ChangeConnection, live::Refetch};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{CadenceFrom, ConnectionDetail};

/// The form, filled in with the connection as it was when the screen was opened.
pub(crate) fn ours(detail: &ConnectionDetail, refetch: Refetch) -> AnyView {
    let change = Post::new(ChangeConnection::PATH, "Saved", move || refetch.nudge());
    let kept = |name: &str, stored: String| change.kept(name, stored);
    let fields = Fields { group: "form", post: change };
    let field = |name, label, help| Field { name, label, help };
    let c = &detail.connection;
    let cadence = detail.cadence_set_seconds.map(text::duration).unwrap_or_default();
    let help = match c.cadence_from {
        Some(CadenceFrom::Upstream) => {
            "Like 15 min, 2 h or 1 day. Makini plans its syncs, which counts; this is for when it does not."
        }
        _ => "Like 15 min, 2 h or 1 day. Empty: as Makini plans it, or learned.",
    };
    let (id, open) = (c.id.to_string(), change.error.with_untracked(Option::is_some));
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
        fields.line(field("cadence_seconds", "Expected sync", help), kept("cadence_seconds", cadence), Line::default()),
        fields.lines(
            field("note", "Note", "For colleagues; customers never see it."),
            kept("note", detail.note.clone().unwrap_or_default()),
            3,
            false,
        ),
    ];
    let inner = view! {
        <input type="hidden" name="form[id]" value=id />
        {inputs.into_iter().collect::<Vec<_>>()}
        {change.note()}
        <div class="acts">
            <button class="btn first" disabled=move || change.busy.get()>"Save"</button>
        </div>
    };
    view! {
        <details class="ours" open=open>
            <summary>"Edit owner, tags, cadence and note"</summary>
            {change.form("form", inner.into_any())}
        </details>
    }
    .into_any()
}
