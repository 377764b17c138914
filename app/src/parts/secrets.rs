//! The webhook secrets of a source: add one, then retire the old one. Two live together while Makini is switched over.

use super::{
    post::Post,
    time::{Clock, use_clock},
};
use crate::{
    asking::{Got, Latest, part},
    calls::sources::{AddSecret, RetireSecret},
    live::Refetch,
};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{SourceId, WebhookSecret};

/// The list and the form to add one.
pub(crate) fn secrets(id: SourceId, latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let add = Post::new(AddSecret::PATH, "Webhook secret added", move || refetch.nudge());
    let retire = Post::new(RetireSecret::PATH, "Webhook secret retired", move || refetch.nudge());
    let live = move || latest.with(|got| got.as_ref().and_then(Got::source).map(|s| s.webhook_secrets.clone()));
    let none = part(latest, |got| {
        let none = got.source().is_some_and(|source| source.webhook_secrets.is_empty());
        let words = "No secret yet, so every webhook is refused: nothing could tell Makini’s from anybody else’s.";
        none.then(|| view! { <p class="note warn">{words}</p> }).into_any()
    });
    let inner = view! {
        <input type="hidden" name="id" value=id.to_string() />
        <label for="new-secret">"Add a secret"</label>
        <input id="new-secret" type="password" name="secret" required=true autocomplete="new-password" aria-describedby="new-secret-help" />
        <button class="btn" disabled=move || add.busy.get()>"Add"</button>
        <p class="help" id="new-secret-help">"As Makini shows it. Secrets before it stay live until you retire them."</p>
    };
    view! {
        <section class="secrets" aria-labelledby="secrets">
            <h2 id="secrets">"Webhook secrets"</h2>
            {none}
            <ul class="plain-list">
                <For each=move || live().unwrap_or_default() key=|secret| secret.id let(secret)>
                    {one(&secret, id, latest, clock, retire)}
                </For>
            </ul>
            {add.form("inline-form", inner.into_any())}
            {add.note()}
            {retire.note()}
        </section>
    }
    .into_any()
}

fn one(secret: &WebhookSecret, source: SourceId, latest: Latest, clock: Clock, retire: Post) -> AnyView {
    let (id, created) = (secret.id, secret.created_at);
    let warning = format!("Webhooks that are signed with …{} will be refused from then on.", secret.hint);
    let age = part(latest, move |got| {
        let Some(as_of) = got.as_of() else { return ().into_any() };
        let now = clock.moment(as_of);
        let secret = got.source().and_then(|source| source.webhook_secrets.iter().find(|other| other.id == id));
        let used = match secret.and_then(|secret| secret.last_used_at) {
            Some(at) => view! { "last used "{now.ago(at)} }.into_any(),
            None => "never used yet".into_any(),
        };
        view! { <span class="sub">"added "{now.ago(created)}</span><span class="sub">{used}</span> }.into_any()
    });
    let inner = view! {
        <p>{warning}</p>
        <input type="hidden" name="id" value=source.to_string() />
        <input type="hidden" name="secret" value=id.to_string() />
        <button class="btn danger" disabled=move || retire.busy.get()>"Retire this secret"</button>
    };
    view! {
        <li>
            <code>{format!("…{}", secret.hint)}</code>
            {age}
            <details class="confirm">
                <summary>"Retire"</summary>
                {retire.form("", inner.into_any())}
            </details>
        </li>
    }
    .into_any()
}
