//! Alerts: one channel – how it is, a test, and what can be set. Secrets are only ever written.

use super::alert_channels::{health, leads};
use crate::{
    asking::{Latest, Question, ask, screen},
    calls::alerts::{AlertAsk, AlertBody, Known, RemoveChannel, SaveChannel, TestChannel},
    live::Refetch,
    parts::{
        alert_tabs::{body, crumbs, first, may},
        copy::Copy,
        field::{Field, Fields, Line},
        post::Post,
        time::use_clock,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};
use model::{ChangeTopic, Channel, ChannelKind, Role};

/// The screen.
#[component]
pub(crate) fn ChannelPage() -> impl IntoView {
    let (params, address) = (use_params_map(), use_location().search);
    let question = move || {
        let id = params.with(|params| params.get("id").unwrap_or_default());
        Question::Alerts(AlertAsk::Channel(address.with(|search| format!("{id}?{search}"))))
    };
    let refetch = Refetch::on(&[ChangeTopic::Notification, ChangeTopic::Alert]);
    screen(ask(question, refetch), move |latest| {
        let found = first(latest, |body| match body {
            AlertBody::Channel(channel, known, secret) => Some((channel.clone(), known.clone(), secret.clone())),
            _ => None,
        });
        match found {
            Some((channel, known, secret)) => full(latest, channel.as_ref(), &known, secret),
            None => ().into_any(),
        }
    })
}

fn full(latest: Latest, channel: Option<&Channel>, known: &Known, secret: Option<String>) -> AnyView {
    let (clock, query) = (use_clock(), use_query_map());
    let acts = may(latest, Role::Admin);
    let name = channel.map_or_else(|| "A new channel".to_owned(), |channel| channel.name.clone());
    let said = move || {
        query.with(|query| match (query.get_str("tested"), query.get_str("saved")) {
            (Some(_), _) => Some("The sample went through. Look whether it arrived."),
            (_, Some(_)) => Some("Saved. Try it out: a sample shows what people will see."),
            _ => None,
        })
    };
    let state = channel.map(|_| {
        body(latest, move |view| match &view.body {
            AlertBody::Channel(Some(channel), ..) => {
                let error = channel.last_error.clone().map(|error| view! { <p class="proof">{error.message}</p> });
                view! { <p class="lede">{channel.kind.words()}" to "{leads(channel)}</p>{health(channel, clock.moment(view.as_of))}{error} }.into_any()
            }
            _ => ().into_any(),
        })
    });
    view! {
        <Title text=name.clone() />
        {crumbs("/alerts/channels", "Channels", name.clone())}
        <h1>{name}</h1>
        {state}
        {move || said().map(|words| view! { <p class="note good" role="status">{words}</p> })}
        {secret.map(shown_once)}
        {acts.then(|| channel.map(test))}
        {if acts { settings(channel, known) } else { ().into_any() }}
        {acts.then(|| channel.map(remove))}
    }
    .into_any()
}

fn shown_once(secret: String) -> AnyView {
    let copied = secret.clone();
    view! {
        <div class="note good made" role="status">
            <p class="strong">"This secret signs every message. Copy it now: it is not shown again."</p>
            <div class="address">
                <code>{secret}</code>
                <Copy text=move || copied.clone() label="Copy" what="Secret" class="small" />
            </div>
        </div>
    }
    .into_any()
}

fn test(channel: &Channel) -> AnyView {
    let post = Post::new(TestChannel::PATH, "", || ());
    let fields = view! {
        <input type="hidden" name="id" value=channel.id.to_string() />
        <button class="btn" disabled=move || post.busy.get()>{move || if post.busy.get() { "Sending…" } else { "Send a sample" }}</button>
    };
    view! {
        <section aria-labelledby="try">
            <h2 id="try">"Try it out"</h2>
            <p class="muted">"Sends a real message now, as an alert would look, and says what came back."</p>
            {post.form("acts", fields.into_any())}
            {post.note()}
        </section>
    }
    .into_any()
}

fn settings(channel: Option<&Channel>, known: &Known) -> AnyView {
    let post = Post::new(SaveChannel::PATH, "Channel saved", || ());
    let fields = Fields { group: "form", post };
    let field = |name, label, help| Field { name, label, help };
    let of = |read: fn(&Channel) -> String| channel.map(read).unwrap_or_default();
    let kept = |name: &str, stored: String| post.kept(name, stored);
    let first = kept("kind", channel.map_or(ChannelKind::Email, |channel| channel.kind).code().to_owned());
    let kind = RwSignal::new(first.clone());
    let alive = use_clock();
    // Without wasm the fields of every kind are there, and only those of the chosen one count.
    let new = channel.is_none();
    let shown = move |one: ChannelKind| move || (!new || alive.is_ticking()) && kind.with(|kind| kind != one.code());
    let means: Vec<_> = ChannelKind::ALL
        .iter()
        .map(|one| view! { <option value=one.code() selected=one.code() == first>{one.words()}</option> }.into_any())
        .collect();
    let me = channel.map(|channel| channel.id.to_string()).unwrap_or_default();
    let fallback = kept("fallback_id", of(|c| c.fallback_id.map(|id| id.to_string()).unwrap_or_default()));
    let others = known.channels.iter().filter(|(id, _)| *id != me);
    let others: Vec<_> = others
        .map(|(id, name)| {
            view! { <option value=id.clone() selected=*id == fallback>{name.clone()}</option> }.into_any()
        })
        .collect();
    let slack = if new {
        "From Slack: your app, Incoming Webhooks. It is stored sealed and never shown again."
    } else {
        "Leave it empty to keep the stored one. It is never shown."
    };
    let on = if post.error.with_untracked(Option::is_some) {
        !kept("enabled", String::new()).is_empty()
    } else {
        channel.is_none_or(|c| c.enabled)
    };
    let inner = view! {
        <input type="hidden" name="form[id]" value=me />
        <input type="hidden" name="form[version]" value=of(|c| c.version.to_string()) />
        <fieldset>
            <legend>"The channel"</legend>
            {fields.line(field("name", "Name", "Short, such as “erp-alerts”."), kept("name", of(|c| c.name.clone())), Line { required: true, ..Line::default() })}
            <div class="field" hidden=!new>
                <label for="f-kind">"By what means"</label>
                <select id="f-kind" name="form[kind]" on:change=move |event| kind.set(event_target_value(&event))>{means}</select>
            </div>
            <div hidden=shown(ChannelKind::Email)>{fields.line(field("to", "E-mail to", "Addresses, with commas between them."), kept("to", of(|c| c.settings.to.join(", "))), Line { placeholder: "erp-team@example.com", ..Line::default() })}</div>
            <div hidden=shown(ChannelKind::Email)>{fields.line(field("from", "E-mail from", "Empty: as Linewatch is set up."), kept("from", of(|c| c.settings.from.clone().unwrap_or_default())), Line::default())}</div>
            <div hidden=shown(ChannelKind::Slack)>{fields.line(field("webhook_url", "Slack webhook address", slack), "", Line { secret: true, ..Line::default() })}</div>
            <div hidden=shown(ChannelKind::Webhook)>{fields.line(field("url", "Webhook address", "Where to. Each message is signed with a secret that you see once, after this."), kept("url", of(|c| c.settings.url.clone().unwrap_or_default())), Line { placeholder: "https://example.com/alerts", ..Line::default() })}</div>
        </fieldset>
        <fieldset>
            <legend>"When it fails"</legend>
            <div class="field">
                <label for="f-fallback_id">"This channel takes over"</label>
                <select id="f-fallback_id" name="form[fallback_id]" aria-describedby="f-fallback_id-help"><option value="">"None: messages wait"</option>{others}</select>
                <p class="help" id="f-fallback_id-help">"After two minutes in which nothing got through."</p>
            </div>
            {fields.check(field("enabled", "Send messages", "Switched off, nothing goes this way."), on)}
        </fieldset>
        {post.note()}
        <div class="acts">
            <button class="btn first" disabled=move || post.busy.get()>{if new { "Add the channel" } else { "Save the channel" }}</button>
            <a class="btn quiet" href="/alerts/channels">"Cancel"</a>
        </div>
    };
    post.form("form wide-form alert-form", inner.into_any())
}

fn remove(channel: &Channel) -> AnyView {
    let post = Post::new(RemoveChannel::PATH, "Channel removed", || ());
    let fields = view! {
        <p>"What it told stays in the log. It cannot be removed while a route or another channel needs it."</p>
        <input type="hidden" name="id" value=channel.id.to_string() />
        <button class="btn danger" disabled=move || post.busy.get()>"Remove this channel"</button>
    };
    view! {
        <section aria-label="Remove">
            <details class="confirm"><summary>"Remove"</summary>{post.form("", fields.into_any())}</details>
            {post.note()}
        </section>
    }
    .into_any()
}
