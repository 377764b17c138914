//! Settings: one source – how it is seen, its secrets, a test, and everything that can be set.

use crate::{
    calls::{
        self, CallError,
        sources::{ChangeSource, Sources},
    },
    live::Refetch,
    parts::{
        empty::waiting,
        field::Fields,
        ours::wrong,
        refused::{focus_wrong, refused_note, refused_screen},
        secrets::Secrets,
        seeing::{seeing, verdict},
        source_fields::source_fields,
        time::use_clock,
        trial::Trial,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{ChangeTopic, Refusal, Source, SourceId};

/// The screen.
#[component]
pub(crate) fn SourcePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let refetch = Refetch::on(&[ChangeTopic::System]);
    let answer = Resource::new(
        move || (id.get(), refetch.round()),
        move |(id, _)| {
            let flight = refetch.depart();
            async move {
                let answer = match id.parse::<SourceId>() {
                    Ok(id) => calls::sources::ask_source(id).await,
                    Err(_) => Err(Refusal::NotFound("This source".into()).into()),
                };
                drop(flight);
                answer
            }
        },
    );
    view! {
        <Transition fallback=waiting>
            <Body answer refetch />
        </Transition>
    }
}

#[component]
fn Body(answer: Resource<Result<Sources, CallError>>, refetch: Refetch) -> impl IntoView {
    let latest = Memo::new(move |before: Option<&Option<Result<Sources, CallError>>>| match (answer.get(), before) {
        (Some(Err(error)), Some(Some(Ok(good)))) if matches!(error.refusal, Refusal::Unavailable(_)) => {
            Some(Ok(good.clone()))
        }
        (other, _) => other,
    });
    let kind = Memo::new(move |_| {
        latest.with(|l| match l {
            None => None,
            Some(Ok(sources)) => sources.sources.first().map(|source| Ok(source.id)),
            Some(Err(error)) => Some(Err(error.clone())),
        })
    });
    move || match kind.get() {
        None => ().into_any(),
        Some(Err(error)) => refused_screen(error),
        Some(Ok(id)) => {
            latest.get_untracked().and_then(Result::ok).map(|first| full(id, first, latest, refetch)).into_any()
        }
    }
}

fn full(id: SourceId, first: Sources, latest: Memo<Option<Result<Sources, CallError>>>, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let query = use_query_map();
    let current = Memo::new(move |_| latest.with(|l| l.as_ref().and_then(|l| l.as_ref().ok()).cloned()));
    let Some(stored) = first.sources.first().cloned() else { return ().into_any() };
    let (kept, as_of) = (stored.clone(), first.as_of);
    let now = Signal::derive(move || clock.moment(current.with(|c| c.as_ref().map_or(as_of, |c| c.as_of))));
    let source = Signal::derive(move || {
        current.with(|c| c.as_ref().and_then(|c| c.sources.first().cloned())).unwrap_or_else(|| kept.clone())
    });
    let done = move || {
        query.with(|query| match (query.get_str("added"), query.get_str("saved")) {
            (Some(_), _) => Some("Added. Try it out below, then give Makini the webhook address."),
            (_, Some(_)) => Some("Saved. It takes effect with the next round of polling."),
            _ => None,
        })
    };
    view! {
        <Title text=stored.name.clone() />
        <nav class="crumbs" aria-label="You are here">
            <a href="/settings">"Sources"</a>
            <span aria-hidden="true">" / "</span>
            <span>{stored.name.clone()}</span>
        </nav>
        <h1>{stored.name.clone()}</h1>
        <p class="lede">{move || source.with(|source| verdict(source).1)}</p>
        {move || done().map(|words| view! { <p class="note good" role="status">{words}</p> })}
        <section aria-labelledby="seen">
            <h2 id="seen" class="sr">"How it is seen"</h2>
            {move || source.with(|source| seeing(source, now.get()))}
        </section>
        <Trial id />
        <Secrets source now refetch />
        <Settings stored source />
    }
    .into_any()
}

/// Everything that can be set.
#[component]
fn Settings(stored: Source, #[prop(into)] source: Signal<Source>) -> impl IntoView {
    let change = ServerAction::<ChangeSource>::new();
    let error = move || change.value().get().and_then(Result::err);
    focus_wrong(error);
    let before = change.value().get_untracked().and_then(Result::err);
    let fields =
        Fields { group: "form", wrong: Signal::derive(move || error().as_ref().map(wrong).unwrap_or_default()) };
    let (id, version) = (stored.id, stored.version);
    let behind = move || source.with(|source| source.version != version) && change.version().get() == 0;
    view! {
        <section aria-labelledby="settings">
            <h2 id="settings">"Settings"</h2>
            <ActionForm action=change attr:class="form wide-form">
                <input type="hidden" name="id" value=id.to_string() />
                <input type="hidden" name="form[version]" value=move || source.with(|source| source.version.to_string()) />
                {source_fields(&fields, Some(&stored), before.as_ref())}
                <Show when=behind>
                    <p class="note warn">"Somebody else has changed this source since you opened the page. Load it again to see what is stored."</p>
                </Show>
                {move || error().map(|error| refused_note(&error))}
                <div class="acts">
                    <button class="btn first" disabled=move || change.pending().get()>"Save"</button>
                </div>
            </ActionForm>
        </section>
    }
}
