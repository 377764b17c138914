//! Saved views: questions about connections under a name, each with how many fit it now. All of it works without wasm.

use super::{
    field::{Field, Fields, Line},
    post::Post,
    text,
};
use crate::{
    asking::{Latest, part},
    calls::views::{AddView, RemoveView, Views},
    live::Refetch,
};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{ConnectionQuery, Role, SavedView};

/// The views above the filters, and the ways to keep and to forget one.
pub(crate) fn views(latest: Latest, query: Memo<ConnectionQuery>, refetch: Refetch) -> AnyView {
    let add = Post::new(AddView::PATH, "View saved", move || refetch.nudge());
    let remove = Post::new(RemoveView::PATH, "View removed", move || refetch.nudge());
    let chips = part(latest, move |got| got.views().map_or_else(|| ().into_any(), |v| query.with(|q| chips(v, q))));
    let removable = part(latest, move |got| got.views().map_or_else(|| ().into_any(), |v| removable(v, remove)));
    view! {
        <div class="views">
            {chips}
            {save(add, query)}
            {removable}
        </div>
        {remove.note()}
    }
    .into_any()
}

/// The question itself, without the page that is looked at.
fn asked(query: &ConnectionQuery) -> String {
    ConnectionQuery { limit: None, ..query.first_page() }.to_query()
}

fn chips(views: &Views, query: &ConnectionQuery) -> AnyView {
    if views.views.is_empty() {
        return ().into_any();
    }
    let here = asked(query);
    let one = |view: &SavedView| {
        let question = view.query.trim_start_matches('?');
        let on = ConnectionQuery::from_query(question).is_ok_and(|query| asked(&query) == here);
        let address = if question.is_empty() { "/connections".to_owned() } else { format!("/connections?{question}") };
        let whose = if view.mine { "yours".to_owned() } else { format!("by {}", view.by) };
        let shared = if view.shared { format!("{whose}, for everybody") } else { whose };
        let count = if view.matching >= 10_000 { "10,000+".to_owned() } else { text::count(view.matching) };
        view! {
            <li>
                <a class="view" href=address title=shared aria-current=on.then_some("true")>
                    {view.name.clone()}
                    " "
                    <b>{count}</b>
                </a>
            </li>
        }
        .into_any()
    };
    view! { <ul class="view-chips" aria-label="Saved views">{views.views.iter().map(one).collect::<Vec<_>>()}</ul> }
        .into_any()
}

/// “Save this view”.
fn save(add: Post, query: Memo<ConnectionQuery>) -> AnyView {
    let fields = Fields { group: "form", post: add };
    let name =
        Field { name: "name", label: "Name", help: "What this list is for, such as “SAP, must sign in again”." };
    let shared = Field { name: "shared", label: "For everybody", help: "Otherwise only you see it." };
    let on = add.kept("shared", String::new()) == "on";
    let open = add.error.with_untracked(Option::is_some);
    let inner = view! {
        <input type="hidden" name="form[query]" value=move || query.with(asked) />
        {fields.line(name, add.kept("name", String::new()), Line { required: true, ..Line::default() })}
        {fields.check(shared, on)}
        {add.note()}
        <div class="acts">
            <button class="btn" disabled=move || add.busy.get()>"Save"</button>
        </div>
    };
    view! {
        <details class="view-form" open=open>
            <summary>"Save this view"</summary>
            {add.form("form", inner.into_any())}
        </details>
    }
    .into_any()
}

/// The views that the person may remove: their own; all of them for an administrator.
fn removable(views: &Views, remove: Post) -> AnyView {
    let own: Vec<_> = views.views.iter().filter(|view| view.mine || views.role == Role::Admin).collect();
    if own.is_empty() {
        return ().into_any();
    }
    let one = |view: &&SavedView| {
        let whose = if view.mine { "yours".to_owned() } else { format!("by {}", view.by) };
        let inner = view! {
            <input type="hidden" name="id" value=view.id.to_string() />
            <button class="btn small danger" aria-label=format!("Remove the view {}", view.name)>"Remove"</button>
        };
        view! {
            <li>
                <span class="strong">{view.name.clone()}</span>
                <span class="sub">{whose}</span>
                {remove.form("", inner.into_any())}
            </li>
        }
        .into_any()
    };
    view! {
        <details class="view-form">
            <summary>"Remove a view"</summary>
            <ul class="plain-list">{own.iter().map(one).collect::<Vec<_>>()}</ul>
        </details>
    }
    .into_any()
}
