//! What failed, in a sentence, and where to go from there.

use super::{
    failed_query::{Asks, retry_address},
    time::Moment,
    webhook_words::{delivery_badge, event_badge, kind_words, notification_badge},
};
use crate::calls::failures::Opened;
use leptos::prelude::*;
use model::{DeliveryState, EventState, FailureKind, FailureQuery, NotificationState, Role};

/// What failed, how it stands now, and what it hangs together with.
pub(crate) fn head(opened: &Opened, now: Moment) -> AnyView {
    let what = match (&opened.failure, &opened.delivery, &opened.event) {
        _ if opened.notification.is_some() => opened.notification.as_ref().map(|one| one.subject.clone()),
        (Some(failure), ..) if failure.what.is_some() => failure.what.clone(),
        (_, Some(delivery), _) => delivery.kind.clone(),
        (_, _, Some(event)) => event.event.kind.clone(),
        _ => opened.gap.as_ref().map(|gap| gap.kind.clone()),
    };
    let what = what.unwrap_or_else(|| "Webhook".to_owned());
    let rest = match (&opened.delivery, &opened.rejection, &opened.gap) {
        _ if opened.notification.is_some() => told(opened),
        (Some(delivery), ..) if delivery.state == DeliveryState::Done => format!(" reached {}", delivery.endpoint),
        (Some(delivery), ..) => format!(" did not reach {}", delivery.endpoint),
        (_, Some(rejection), _) => format!(": {}", rejection.reason.words().to_lowercase()),
        (.., Some(gap)) => format!(" of {} never came", gap.connection.name),
        _ if opened.failure.is_none() => " was processed".to_owned(),
        _ => format!(": {}", kind_words(opened.kind).to_lowercase()),
    };
    let state = match (&opened.delivery, &opened.event) {
        _ if opened.notification.is_some() => opened.notification.as_ref().map(|one| notification_badge(one.state)),
        (Some(delivery), _) => Some(delivery_badge(delivery.state)),
        (None, Some(event)) => Some(event_badge(event.event.state)),
        _ => None,
    };
    let due = match (&opened.delivery, opened.failure.as_ref().and_then(|failure| failure.next_due_at)) {
        (Some(delivery), _) if delivery.due_at.is_some() => {
            let until = delivery.until.map(|at| view! { ", the last try "{now.until(at)} }.into_any());
            Some(view! { "Next try "{delivery.due_at.map(|at| now.until(at))}{until}"." }.into_any())
        }
        (None, Some(at)) => Some(view! { "Next try "{now.until(at)}"." }.into_any()),
        _ => None,
    };
    view! {
        <h2>{what}{rest}</h2>
        <p class="pane-state" data-opened=opened.id.to_string() data-over=opened.failure.is_none().to_string() role="status">{state}{due.map(|due| view! { <span class="muted">{due}</span> })}</p>
        {links(opened, now)}
    }
    .into_any()
}

/// What became of a message to people.
fn told(opened: &Opened) -> String {
    let was = |sent: bool| if sent { "was sent" } else { "was not sent" };
    let notification = opened.notification.as_ref();
    notification
        .map(|one| format!(" {} by {}", was(one.state == NotificationState::Sent), one.channel))
        .unwrap_or_default()
}

/// What it hangs together with.
fn links(opened: &Opened, now: Moment) -> AnyView {
    let gap = opened.gap.as_ref().map(|gap| &gap.connection);
    let connection = opened.failure.as_ref().and_then(|failure| failure.connection.as_ref()).or(gap).map(|connection| {
        view! { <dt>"Connection"</dt><dd><a href=format!("/connections/{}", connection.id)>{connection.name.clone()}</a></dd> }.into_any()
    });
    let event = opened.event.as_ref().map(|event| {
        let event = &event.event;
        view! { <dt>"Event"</dt><dd><a href=format!("/webhooks/events/{}", event.id)>"received "{now.ago(event.received_at)}</a></dd> }.into_any()
    });
    let endpoint = opened.delivery.as_ref().map(|delivery| {
        let since = Asks::default().change(|query| {
            query.kind = vec![FailureKind::Delivery];
            query.endpoint = Some(delivery.endpoint_id);
            query.since = Some(delivery.received_at);
        });
        let all = FailureQuery {
            kind: vec![FailureKind::Delivery],
            endpoint: Some(delivery.endpoint_id),
            since: Some(delivery.received_at),
            ..FailureQuery::default()
        };
        let retry = (opened.role >= Role::Support).then(|| {
            view! { <dt></dt><dd><a href=retry_address(&all)>"Retry all since then for this endpoint…"</a></dd> }.into_any()
        });
        view! {
            <dt>"Endpoint"</dt><dd><a href=format!("/webhooks/endpoints/{}", delivery.endpoint_id)>{delivery.endpoint.clone()}</a></dd>
            <dt></dt><dd><a href=since>"All since then for this endpoint"</a></dd>
            {retry}
        }
        .into_any()
    });
    let channel = opened.notification.as_ref().map(|one| {
        view! {
            <dt>"Channel"</dt><dd><a href=format!("/alerts/channels/{}", one.channel_id)>{one.channel.clone()}</a></dd>
            <dt>"Message"</dt><dd><a href=format!("/alerts/log/{}", one.id)>{one.reason.words()}", made "{now.ago(one.created_at)}</a></dd>
        }
        .into_any()
    });
    let source = opened.failure.as_ref().and_then(|failure| failure.source.clone());
    let source = source.map(|name| view! { <dt>"Source"</dt><dd>{name}</dd> }.into_any());
    view! { <dl class="facts">{connection}{event}{endpoint}{channel}{source}</dl> }.into_any()
}

/// What a retry does to the schedule; nothing where there is nothing to retry.
pub(crate) fn may_retry(opened: &Opened) -> &'static str {
    if opened.role < Role::Support {
        return "";
    }
    if let Some(one) = &opened.notification {
        let can = opened.failure.as_ref().is_some_and(|failure| failure.retryable);
        return match one.state {
            NotificationState::Failed | NotificationState::Pending if can => {
                "It is sent at once; should that fail, it is tried again by itself for a day."
            }
            _ => "",
        };
    }
    match (opened.kind, opened.delivery.as_ref().map(|d| d.state), opened.event.as_ref().map(|e| e.event.state)) {
        (FailureKind::Delivery, Some(DeliveryState::Failed), _) => {
            "It is tried at once and starts the schedule anew: should it fail, it is tried again by itself for 24 hours."
        }
        (FailureKind::Delivery, Some(DeliveryState::Pending | DeliveryState::Waiting), _) => {
            "It is tried at once. The schedule goes on as it was, should it fail again."
        }
        (FailureKind::Processing, _, Some(EventState::Failed | EventState::Unrecognised)) => {
            "It is processed at once and starts the schedule anew."
        }
        _ => "",
    }
}
