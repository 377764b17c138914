//! The webhook secrets of a source: add one, then retire the old one. Two live together while Makini is switched over.

use super::{refused::refused_note, time::Moment, toast::use_toasts};
use crate::{
    calls::sources::{AddSecret, RetireSecret},
    live::Refetch,
};
use leptos::prelude::*;
use model::{Source, WebhookSecret};

/// The list and the form to add one.
#[component]
pub(crate) fn Secrets(
    /// The source.
    #[prop(into)]
    source: Signal<Source>,
    /// Now.
    #[prop(into)]
    now: Signal<Moment>,
    /// Asks for the source again.
    refetch: Refetch,
) -> impl IntoView {
    let (add, retire) = (ServerAction::<AddSecret>::new(), ServerAction::<RetireSecret>::new());
    let toasts = use_toasts();
    Effect::new(move |_| {
        if let Some(Ok(())) = add.value().get() {
            toasts.say("Webhook secret added");
            refetch.nudge();
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(())) = retire.value().get() {
            toasts.say("Webhook secret retired");
            refetch.nudge();
        }
    });
    let id = source.with_untracked(|source| source.id.to_string());
    let of = id.clone();
    let error = move || add.value().get().and_then(Result::err).or_else(|| retire.value().get().and_then(Result::err));
    let none = "No secret yet, so every webhook is refused: nothing could tell Makini’s from anybody else’s.";
    view! {
        <section class="secrets" aria-labelledby="secrets">
            <h2 id="secrets">"Webhook secrets"</h2>
            <Show when=move || source.with(|s| s.webhook_secrets.is_empty())>
                <p class="note warn">{none}</p>
            </Show>
            <ul class="plain-list">
                <For each=move || source.with(|s| s.webhook_secrets.clone()) key=|secret| secret.id let(secret)>
                    {one(&secret, &of, now, retire)}
                </For>
            </ul>
            <ActionForm action=add attr:class="inline-form">
                <input type="hidden" name="id" value=id />
                <label for="new-secret">"Add a secret"</label>
                <input id="new-secret" type="password" name="secret" required=true autocomplete="new-password" aria-describedby="new-secret-help" />
                <button class="btn" disabled=move || add.pending().get()>"Add"</button>
                <p class="help" id="new-secret-help">"As Makini shows it. Secrets before it stay live until you retire them."</p>
            </ActionForm>
            {move || error().map(|error| refused_note(&error))}
        </section>
    }
}

fn one(secret: &WebhookSecret, source: &str, now: Signal<Moment>, retire: ServerAction<RetireSecret>) -> AnyView {
    let (created, used) = (secret.created_at, secret.last_used_at);
    let (hint, secret_id, source) = (format!("…{}", secret.hint), secret.id.to_string(), source.to_owned());
    let warning = format!("Webhooks that are signed with …{} will be refused from then on.", secret.hint);
    view! {
        <li>
            <code>{hint}</code>
            <span class="sub">"added "{move || now.get().ago(created)}</span>
            <span class="sub">
                {move || match used {
                    Some(at) => view! { "last used "{now.get().ago(at)} }.into_any(),
                    None => "never used yet".into_any(),
                }}
            </span>
            <details class="confirm">
                <summary>"Retire"</summary>
                <ActionForm action=retire>
                    <p>{warning}</p>
                    <input type="hidden" name="id" value=source />
                    <input type="hidden" name="secret" value=secret_id />
                    <button class="btn danger">"Retire this secret"</button>
                </ActionForm>
            </details>
        </li>
    }
    .into_any()
}
