//! Alerts: one channel – how it is, a test, and what can be set. Secrets are only ever written.

use super::alert_channels::{health, leads};
use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::alerts::{AlertAsk, AlertBody, Known, RemoveChannel, TestChannel},
    live::Refetch,
    parts::{
        alert_tabs::{body, crumbs, first},
        asked::use_asked,
        channel_fields::settings,
        copy::Copy,
        post::Post,
        time::use_clock,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{ChangeTopic, Channel, Role};

/// The screen.
#[component]
pub(crate) fn ChannelPage() -> impl IntoView {
    let (params, address) = (use_params_map(), use_asked());
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
