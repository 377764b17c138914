//! Settings: one source – how it is seen, its secrets, a test, and everything that can be set.

use crate::{
    asking::{Got, Latest, Question, ask, may, part, screen},
    calls::sources::ChangeSource,
    live::Refetch,
    parts::{
        field::Fields,
        post::Post,
        secrets::secrets,
        seeing::{seeing, verdict},
        source_fields::source_fields,
        time::use_clock,
        trial::Trial,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{ChangeTopic, Role, Source};

/// The screen.
#[component]
pub(crate) fn SourcePage() -> impl IntoView {
    let params = use_params_map();
    let refetch = Refetch::on(&[ChangeTopic::System]);
    let question = move || Question::Source(params.with(|params| params.get("id").unwrap_or_default()));
    screen(ask(question, refetch), move |latest| {
        // The form is filled in once; everything around it follows the newest answer.
        let first = latest.with_untracked(|got| got.as_ref().and_then(Got::source).cloned());
        first.map_or_else(|| ().into_any(), |first| full(first, latest, refetch))
    })
}

fn full(stored: Source, latest: Latest, refetch: Refetch) -> AnyView {
    let (clock, query) = (use_clock(), use_query_map());
    let done = move || {
        query.with(|query| match (query.get_str("added"), query.get_str("saved")) {
            (Some(_), _) => Some("Added. Try it out below, then give Makini the webhook address."),
            (_, Some(_)) => Some("Saved. It takes effect with the next round of polling."),
            _ => None,
        })
    };
    let seen = part(latest, move |got| match (got.source(), got.as_of()) {
        (Some(source), Some(as_of)) => seeing(source, clock.moment(as_of)),
        _ => ().into_any(),
    });
    let verdict = part(latest, |got| got.source().map(|source| verdict(source).1).into_any());
    view! {
        <Title text=stored.name.clone() />
        <nav class="crumbs" aria-label="You are here">
            <a href="/settings">"Sources"</a>
            <span aria-hidden="true">" / "</span>
            <span>{stored.name.clone()}</span>
        </nav>
        <h1>{stored.name.clone()}</h1>
        <p class="lede">{verdict}</p>
        {move || done().map(|words| view! { <p class="note good" role="status">{words}</p> })}
        <section aria-labelledby="seen">
            <h2 id="seen" class="sr">"How it is seen"</h2>
            {seen}
        </section>
        <p class="muted"><a href=format!("/settings/sources/{}/deliveries", stored.id)>"What Makini could not deliver"</a></p>
        {match may(latest, Role::Admin) {
            true => view! {
                <Trial id=stored.id />
                {secrets(stored.id, latest, refetch)}
                {settings(&stored, latest)}
            }.into_any(),
            false => {
                let words = format!("It is tried out and changed by the role “{}”.", Role::Admin.words());
                view! { <p class="note">{words}</p> }.into_any()
            }
        }}
    }
    .into_any()
}

/// Everything that can be set.
fn settings(stored: &Source, latest: Latest) -> AnyView {
    let change = Post::new(ChangeSource::PATH, "", || ());
    let (id, opened) = (stored.id.to_string(), stored.version);
    let version =
        Memo::new(move |_| latest.with(|got| got.as_ref().and_then(Got::source).map_or(opened, |s| s.version)));
    // The version we know: the one the form was filled in with, or the one we saved since; the desk refuses any other.
    let query = use_query_map();
    let saved = move || query.with(|query| query.get_str("saved").and_then(|saved| saved.parse::<i64>().ok()));
    let ours = Memo::new(move |_| saved().map_or(opened, |saved| saved.max(opened)));
    let behind = Memo::new(move |_| version.get() > ours.get());
    let inner = view! {
        <input type="hidden" name="id" value=id />
        <input type="hidden" name="form[version]" value=move || ours.get().to_string() />
        {source_fields(Fields { group: "form", post: change }, Some(stored))}
        <p class="note warn" hidden=move || !behind.get()>
            "This source has been changed since you opened the page. Load it again before you save, or saving is refused."
        </p>
        {change.note()}
        <div class="acts">
            <button class="btn first" disabled=move || change.busy.get()>"Save"</button>
        </div>
    };
    view! {
        <section aria-labelledby="settings">
            <h2 id="settings">"Settings"</h2>
            {change.form("form wide-form", inner.into_any())}
        </section>
    }
    .into_any()
}
