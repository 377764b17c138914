//! Settings: the sources, and how well each is seen.

use crate::{
    asking::{Question, ask, part, screen},
    calls::sources::Sources,
    live::Refetch,
    parts::{
        empty::Empty,
        seeing::{seeing, verdict},
        text,
        time::{Moment, use_clock},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, Environment, Role, Source};

/// The screen.
#[component]
pub(crate) fn SourcesPage() -> impl IntoView {
    screen(ask(|| Question::Sources, Refetch::on(&[ChangeTopic::System])), |latest| {
        let clock = use_clock();
        let list = part(latest, move |got| match got.sources() {
            Some(sources) => list(sources, clock.moment(sources.as_of)),
            None => ().into_any(),
        });
        view! {
            <Title text="Sources" />
            {list}
        }
        .into_any()
    })
}

fn list(answer: &Sources, now: Moment) -> AnyView {
    let ill = answer.sources.iter().filter(|source| !verdict(source).0).count();
    let sentence = match (answer.sources.len(), ill) {
        (0, _) => "Nothing is watched yet.".to_owned(),
        (1, 0) => "One Makini account is watched, and seen well.".to_owned(),
        (1, _) => "One Makini account is watched, but not seen well.".to_owned(),
        (n, 0) => format!("{n} Makini accounts are watched, and seen well."),
        (n, ill) => format!("{ill} of {n} Makini accounts cannot be seen well."),
    };
    let items: Vec<_> = answer.sources.iter().map(|source| one(source, now)).collect();
    let text = "A source is a Makini account: an address, a client id with its secret, and the secret that signs its webhooks. \
                Linewatch only reads; it never issues or refreshes your customers’ tokens unless you say so.";
    let add = |class: &'static str| {
        (answer.role >= Role::Admin)
            .then(|| view! { <a class=class href="/settings/sources/new">"Add a source"</a> }.into_any())
    };
    let (first, beside) = (add("btn first"), add("btn"));
    view! {
        <h1>{sentence}</h1>
        {if items.is_empty() {
            view! {
                <Empty title="Add your first source" text=text>
                    {first}
                </Empty>
            }.into_any()
        } else {
            view! {
                <div class="section-head">
                    <h2>"Sources"</h2>
                    {beside}
                </div>
                {items}
            }.into_any()
        }}
        <p class="page-foot"><a href="/settings/retention">"How long things are kept, and which fields are not shown"</a></p>
    }
    .into_any()
}

fn one(source: &Source, now: Moment) -> AnyView {
    let (well, words) = verdict(source);
    let sandbox = (source.environment == Environment::Sandbox).then(|| view! { <span class="tag">"sandbox"</span> });
    let query = format!("/connections?source={}", text::encode(&source.name));
    let title = format!("source-{}", source.name);
    let id = title.clone();
    view! {
        <article class="source" aria-labelledby=title>
            <header>
                <h3 id=id>
                    <a href=format!("/settings/sources/{}", source.id)>{source.name.clone()}</a>
                    {sandbox}
                </h3>
                <p class=if well { "verdict" } else { "verdict bad" }>{words}</p>
                <p class="sub">
                    <a href=query>{text::counted(source.connections, "connection", "connections")}</a>
                    " · "
                    {source.dialect.words()}
                    " · "
                    {source.base_url.clone()}
                </p>
                <a class="btn" href=format!("/settings/sources/{}", source.id)>"Open"</a>
            </header>
            {seeing(source, now)}
        </article>
    }
    .into_any()
}
