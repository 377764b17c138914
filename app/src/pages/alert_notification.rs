//! Alerts: one message, with the alerts that it tells of and every try.

use super::alert_log::{notes, state};
use crate::{
    asking::{Latest, Question, ask, may, screen},
    calls::alerts::{AlertAsk, AlertBody, RetryNotification},
    live::Refetch,
    parts::{
        alert_rows::{place, severity},
        alert_tabs::{body, crumbs, first},
        post::Post,
        time::{Moment, use_clock},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{Alert, Attempt, ChangeTopic, Notification, NotificationState, Role};

/// The screen.
#[component]
pub(crate) fn NotificationPage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.with(|params| params.get("id").unwrap_or_default());
    let refetch = Refetch::on(&[ChangeTopic::Notification]);
    screen(ask(move || Question::Alerts(AlertAsk::Notification(id())), refetch), move |latest| full(latest, refetch))
}

fn full(latest: Latest, refetch: Refetch) -> AnyView {
    let clock = use_clock();
    let acts = may(latest, Role::Support);
    let of = first(latest, |body| match body {
        AlertBody::Notification(one, _) => Some((one.id.to_string(), one.subject.clone())),
        _ => None,
    });
    let (id, subject) = of.unwrap_or_default();
    let retry = Post::new(RetryNotification::PATH, "It is tried again", move || refetch.nudge());
    let failed = move || {
        latest.with(|got| match got.as_ref().and_then(|got| got.alerts()).map(|view| &view.body) {
            Some(AlertBody::Notification(one, _)) => one.state == NotificationState::Failed,
            _ => false,
        })
    };
    let fields = view! {
        <input type="hidden" name="id" value=id />
        <button class="btn first" data-key="r" hidden=move || !failed() disabled=move || retry.busy.get()>"Send it again"</button>
    };
    view! {
        <Title text=subject.clone() />
        {crumbs("/alerts/log", "Log", "Message")}
        <h1>{subject}</h1>
        {body(latest, move |view| match &view.body {
            AlertBody::Notification(one, alerts) => shown(one, alerts, clock.moment(view.as_of)),
            _ => ().into_any(),
        })}
        {acts.then(|| retry.form("acts", fields.into_any()))}
        {retry.note()}
    }
    .into_any()
}

fn shown(one: &Notification, alerts: &[Alert], now: Moment) -> AnyView {
    let when = match (one.sent_at, one.due_at) {
        (Some(at), _) => view! { "; sent "{now.ago(at)} }.into_any(),
        (None, Some(at)) => view! { "; tried next "{now.until(at)} }.into_any(),
        (None, None) => ().into_any(),
    };
    let repeat = one.maybe_repeat.then(|| {
        let words =
            "It may have been told before: Linewatch ended between the channel’s answer and its own note of it.";
        view! { <p class="note">{words}</p> }
    });
    let instead = one.instead_of.map(|id| {
        view! { <p class="sub">"It took over for "<a href=format!("/alerts/log/{id}")>"a message whose channel failed"</a>"."</p> }
    });
    let alert = |alert: &Alert| {
        let name = match place(&alert.subject) {
            Some(href) => view! { <a href=href>{alert.subject.name.clone()}</a> }.into_any(),
            None => alert.subject.name.clone().into_any(),
        };
        view! {
            <li>
                <div><p>{severity(alert.severity)}" "{name}</p><p class="sub">{alert.summary.clone()}" · "{alert.rule.clone()}</p></div>
                <span class="when">{now.ago(alert.since)}</span>
            </li>
        }
        .into_any()
    };
    view! {
        <p class="lede" data-state=one.state.code()>{state(one)}" by "<a href=format!("/alerts/channels/{}", one.channel_id)>{one.channel.clone()}</a>", because: "{one.reason.words().to_lowercase()}{when}"."</p>
        <p class="sub">{notes(one)}</p>
        {instead}
        {repeat}
        <section aria-labelledby="of">
            <h2 id="of">"What it tells of"</h2>
            {if alerts.is_empty() { view! { <p class="faint">"Nothing that is still kept: a test, or alerts of long ago."</p> }.into_any() } else { view! { <ol class="log">{alerts.iter().map(alert).collect::<Vec<_>>()}</ol> }.into_any() }}
        </section>
        <section aria-labelledby="tries">
            <h2 id="tries">"Tries"</h2>
            {if one.attempts.is_empty() { view! { <p class="faint">"None yet."</p> }.into_any() } else { view! { <ol class="log steps">{one.attempts.iter().map(|one| attempt(one, now)).collect::<Vec<_>>()}</ol> }.into_any() }}
        </section>
    }
    .into_any()
}

fn attempt(one: &Attempt, now: Moment) -> AnyView {
    let by = one.by.clone().map(|by| format!(" ({by})")).unwrap_or_default();
    let status = one.status.map(|status| format!(" · answered {status}")).unwrap_or_default();
    view! {
        <li class=if one.error.is_none() { "ok" } else { "failed" }>
            <i class="sign" aria-hidden="true"></i>
            <div>
                <p class="strong">{format!("Try {}, {}{by}: {}", one.n, one.trigger.words(), one.outcome.words())}</p>
                <p class="sub">{format!("{} ms{status}", one.duration_ms)}</p>
                {one.error.clone().map(|error| view! { <p class="proof">{error.message}</p> })}
            </div>
            <span class="when">{now.ago(one.started_at)}</span>
        </li>
    }
    .into_any()
}
