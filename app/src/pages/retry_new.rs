//! Many failures to be tried again: how many exactly, how fast, and the button that does it.

use crate::{
    asking::{self, Got, Latest, Question, ask, part, screen},
    calls::retries::{RetryView, StartRetry},
    live::Refetch,
    parts::{
        asked::use_asked,
        failed_query::{list_part, with},
        field::{Field, Fields, Line},
        post::Post,
        retry_progress::{all, filters},
        webhook_tabs::crumbs,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use model::Role;

/// The screen.
#[component]
pub(crate) fn NewRetryPage() -> impl IntoView {
    let address = use_asked();
    let asked = ask(move || Question::RetryWish(address.with(|address| list_part(address))), Refetch::by_hand());
    screen(asked, full)
}

fn full(latest: Latest) -> AnyView {
    let post = Post::new(StartRetry::PATH, "", || ());
    let wish = move || {
        latest.with(|got| match got.as_ref().map(|got| &got.question) {
            Some(Question::RetryWish(wish)) => wish.clone(),
            _ => String::new(),
        })
    };
    let back = move || {
        let wish = wish();
        with(&wish.split('&').filter(|pair| !pair.starts_with("id=")).collect::<Vec<_>>().join("&"))
    };
    let read = move |read: fn(&RetryView) -> String| {
        latest.with(|got| got.as_ref().and_then(Got::retry).map(read).unwrap_or_default())
    };
    let none = Memo::new(move |_| {
        latest.with(|got| got.as_ref().and_then(Got::retry).is_none_or(|v| v.total == 0 || v.role < Role::Support))
    });
    let rate = Field {
        name: "rate",
        label: "How many a second, at most",
        help: "1 to 10,000; usually 1,000. What arrives meanwhile keeps its share, and each endpoint its own limit.",
    };
    let fields = view! {
        <input type="hidden" name="form[wish]" value=wish />
        <div hidden=move || none.get()>
            {Fields { group: "form", post }.line(rate, post.kept("rate", "1000".to_owned()), Line::default())}
        </div>
        <div class="acts">
            <button class="btn first" hidden=move || none.get() disabled=move || post.busy.get()>{move || read(|v| format!("Retry {}", all(v)))}</button>
            <a class="btn" href=back>"Go back"</a>
        </div>
    };
    view! {
        <Title text=asking::title(move || read(|v| format!("Retry {}?", all(v)))) />
        {crumbs("/webhooks", "Failed", "Retry".to_owned())}
        {part(latest, |got| match got.retry() {
            Some(view) if view.total == 0 => view! {
                <h1>"Nothing that matches can be tried again."</h1>
                <p class="lede">"It is done or under way already. Go back and choose others."</p>
            }.into_any(),
            Some(view) => view! {
                <h1>{format!("Retry {} now?", all(view))}</h1>
                <p class="lede">"Each is tried once at once and starts its schedule anew. What is done or under way by then is left out, so nothing is sent twice by this."</p>
                {(view.role < Role::Support).then(|| view! { <p class="note">{format!("This is for the role “{}” and those above it.", Role::Support.words())}</p> })}
            }.into_any(),
            None => ().into_any(),
        })}
        {part(latest, |got| got.retry().map(filters).into_any())}
        {post.form("form bulk-form", fields.into_any())}
        {post.note()}
    }
    .into_any()
}
