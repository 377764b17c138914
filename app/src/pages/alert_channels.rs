//! Alerts: by what means people are told, and how well that works.

use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::alerts::{AlertAsk, AlertBody},
    live::Refetch,
    parts::{
        alert_tabs::{body, tabs},
        empty::Empty,
        text,
        time::{Moment, use_clock},
    },
};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{ChangeTopic, Channel, ChannelHealth, ChannelKind, Role};

/// The screen.
#[component]
pub(crate) fn ChannelsPage() -> impl IntoView {
    let refetch = Refetch::on(&[ChangeTopic::Notification, ChangeTopic::Alert]);
    screen(ask(|| Question::Alerts(AlertAsk::Channels), refetch), full)
}

fn full(latest: Latest) -> AnyView {
    let clock = use_clock();
    let acts = may(latest, Role::Admin);
    let list = body(latest, move |view| match &view.body {
        AlertBody::Channels(all) if all.is_empty() => {
            let text = "E-mail, Slack, or a signed webhook to a program of your own. Each can be tried out with a real message.";
            view! {
                <Empty title="Nobody can be told yet" text=text>
                    <a class="btn first" href="/alerts/channels/new">"Add a channel"</a>
                </Empty>
            }
            .into_any()
        }
        AlertBody::Channels(all) => {
            let now = clock.moment(view.as_of);
            view! { <ul class="plain-list channels">{all.iter().map(|one| channel(one, now)).collect::<Vec<_>>()}</ul> }
                .into_any()
        }
        _ => ().into_any(),
    });
    view! {
        <Title text="Channels" />
        {tabs("/alerts/channels")}
        <div class="section-head">
            <h1>"By what means people are told."</h1>
            {acts.then(|| view! { <a class="btn first" href="/alerts/channels/new">"Add a channel"</a> })}
        </div>
        {list}
    }
    .into_any()
}

/// Where it leads, without what is secret.
pub(crate) fn leads(channel: &Channel) -> String {
    match (channel.kind, &channel.hint) {
        (ChannelKind::Email, _) => channel.settings.to.join(", "),
        (ChannelKind::Slack, Some(hint)) => format!("an incoming webhook that ends with …{hint}"),
        (ChannelKind::Slack, None) => "an incoming webhook".to_owned(),
        (ChannelKind::Webhook, _) => channel.settings.url.clone().unwrap_or_default(),
    }
}

/// How it is, with shape and word.
pub(crate) fn health(channel: &Channel, now: Moment) -> AnyView {
    let (class, words) = match (channel.enabled, channel.health) {
        (false, _) => ("off", "Switched off"),
        (_, ChannelHealth::Healthy) => ("works", ChannelHealth::Healthy.words()),
        (_, ChannelHealth::Failing) => ("fails", ChannelHealth::Failing.words()),
        (_, ChannelHealth::Untried) => ("untried", ChannelHealth::Untried.words()),
    };
    let since = channel.failing_since.map(|at| view! { " for "{now.since(at)} }.into_any());
    let sent = channel.last_sent_at.map(|at| view! { " · last message "{now.ago(at)} }.into_any());
    let waiting =
        (channel.waiting > 0).then(|| format!(" · {} wait", text::counted(channel.waiting, "message", "messages")));
    view! {
        <p class=format!("channel-health {class}") data-health-of=channel.health.code()>
            <i aria-hidden="true"></i><b>{words}</b>{since}{sent}{waiting}
        </p>
    }
    .into_any()
}

fn channel(channel: &Channel, now: Moment) -> AnyView {
    let error = channel.last_error.clone().map(|error| view! { <p class="proof">{error.message}</p> }.into_any());
    view! {
        <li data-channel=channel.id.to_string()>
            <div class="reason">
                <h2><a href=format!("/alerts/channels/{}", channel.id) data-row="">{channel.name.clone()}</a>" "<span class="tag">{channel.kind.words()}</span></h2>
                <p class="sub">{leads(channel)}</p>
                {health(channel, now)}
                {error}
            </div>
            <a class="btn small" href=format!("/alerts/channels/{}", channel.id) aria-label=format!("Open {}", channel.name)>"Open"</a>
        </li>
    }
    .into_any()
}
