//! Something to be done with many connections: what exactly, with how many, and the button that does it.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::bulk::{BulkView, StartBulk},
    live::Refetch,
    parts::{asked::use_asked, post::Post, text},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::{BulkKind, ChangeTopic};

/// The screen.
#[component]
pub(crate) fn NewBulkPage() -> impl IntoView {
    let wish = use_asked();
    let asked = ask(move || Question::Wish(wish.get()), Refetch::on(&[ChangeTopic::Outage]));
    screen(asked, full)
}

/// The question, and what it does.
fn words(view: &BulkView) -> (String, &'static str, &'static str) {
    let n = text::counted(view.bulk.total.unsigned_abs(), "connection", "connections");
    match view.bulk.kind {
        BulkKind::Check => (
            format!("Check {n} now?"),
            "Linewatch asks Makini about each of them, as fast as Makini allows. Nothing is changed at a customer’s.",
            "Check them",
        ),
        BulkKind::Sync => (
            format!("Start a sync of {n}?"),
            "Each reads what has changed since its last good sync. Those whose sync is under way are left out.",
            "Start the syncs",
        ),
        BulkKind::Acknowledge => (
            format!("Acknowledge the open issues of {n}?"),
            "You take every open issue of each of them. Those without an open issue are left out.",
            "Acknowledge them",
        ),
        BulkKind::Assign => (
            format!("Assign the issues of {n}?"),
            "Every issue of each of them that is not over goes to one person. Those without one are left out.",
            "Assign them",
        ),
    }
}

fn full(latest: Latest) -> AnyView {
    let post = Post::new(StartBulk::PATH, "", || ());
    let wish = move || {
        latest.with(|got| match got.as_ref().map(|got| &got.question) {
            Some(Question::Wish(wish)) => wish.clone(),
            _ => String::new(),
        })
    };
    let back = move || {
        let wish = wish();
        let rest: Vec<_> =
            wish.split('&').filter(|pair| !pair.starts_with("kind=") && !pair.starts_with("id=")).collect();
        if rest.concat().is_empty() { "/connections".to_owned() } else { format!("/connections?{}", rest.join("&")) }
    };
    let read = move |read: fn(&BulkView) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::bulk).map(read).unwrap_or_default())
    };
    let of =
        Memo::new(move |_| latest.with(|got| got.as_ref().and_then(Got::bulk).map(|v| (v.bulk.kind, v.bulk.total))));
    let assign = move || of.get().is_some_and(|(kind, _)| kind == BulkKind::Assign);
    let none = move || of.get().is_none_or(|(_, total)| total == 0);
    let fields = view! {
        <input type="hidden" name="form[wish]" value=wish />
        <div class="field" hidden=move || !assign()>
            <label for="to">"To whom"</label>
            <input id="to" name="form[assignee]" maxlength="100" autocomplete="off" value=post.kept("assignee", String::new()) aria-describedby="to-help" />
            <p class="help" id="to-help">"A name; empty takes them from whoever has them."</p>
        </div>
        <div class="acts">
            <button class="btn first" disabled=move || none() || post.busy.get()>{move || read(|v| words(v).2.to_owned())}</button>
            <a class="btn" href=back>"Go back"</a>
        </div>
    };
    view! {
        <Title text=asking::title(move || read(|v| words(v).0)) />
        {part(latest, |got| match got.bulk() {
            Some(view) if view.bulk.total == 0 => view! {
                <h1>"No connection matches."</h1>
                <p class="lede">"There is nothing to be done. Go back and choose others."</p>
            }.into_any(),
            Some(view) => {
                let (question, does, _) = words(view);
                view! { <h1>{question}</h1><p class="lede">{does}</p> }.into_any()
            }
            None => ().into_any(),
        })}
        {post.form("form bulk-form", fields.into_any())}
        {post.note()}
    }
    .into_any()
}
