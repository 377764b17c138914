//! States of webhooks in shape and word. The shapes are those of health, so that they mean the same everywhere.

use super::{mark::badge_saying, text};
use leptos::prelude::*;
use model::{DeliveryState, EndpointHealth, EventState, Failure, FailureKind, Health, NotificationState};

/// What became of an event.
pub(crate) fn event_badge(state: EventState) -> AnyView {
    let health = match state {
        EventState::Processed => Health::Healthy,
        EventState::Failed => Health::Failing,
        EventState::Pending => Health::FirstSync,
        EventState::Superseded => Health::Paused,
        EventState::Unrecognised => Health::Unknown,
    };
    badge_saying(health, state.words())
}

/// Where a delivery stands.
pub(crate) fn delivery_badge(state: DeliveryState) -> AnyView {
    let health = match state {
        DeliveryState::Done => Health::Healthy,
        DeliveryState::Failed => Health::Failing,
        DeliveryState::Pending => Health::Late,
        DeliveryState::Running => Health::FirstSync,
        DeliveryState::Waiting => Health::Paused,
    };
    badge_saying(health, state.words())
}

/// Where a message to people stands.
pub(crate) fn notification_badge(state: NotificationState) -> AnyView {
    let health = match state {
        NotificationState::Sent => Health::Healthy,
        NotificationState::Failed => Health::Failing,
        NotificationState::Pending => Health::Late,
        NotificationState::Sending => Health::FirstSync,
    };
    badge_saying(health, state.words())
}

/// A class of errors, in words.
pub(crate) fn error_words(class: &str) -> String {
    match class {
        "tls" | "dns" => class.to_uppercase(),
        _ if class.starts_with("http_") => class.replacen("http_", "HTTP ", 1),
        _ => {
            let mut letters = class.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            (first + letters.as_str()).replace('_', " ")
        }
    }
}

/// How an endpoint is.
pub(crate) fn endpoint_badge(health: EndpointHealth) -> AnyView {
    let shape = match health {
        EndpointHealth::Healthy => Health::Healthy,
        EndpointHealth::Failing => Health::Failing,
        EndpointHealth::Open => Health::Offline,
        EndpointHealth::Disabled => Health::Paused,
    };
    badge_saying(shape, health.words())
}

/// The shape and colour of a failure: by who or what moves it on.
pub(crate) fn failure_health(failure: &Failure) -> Health {
    match (failure.kind, failure.next_due_at) {
        (FailureKind::Rejection, _) => Health::Offline,
        (FailureKind::Gap, _) => Health::Unknown,
        (_, Some(_)) => Health::Late,
        (_, None) => Health::Failing,
    }
}

/// One of a kind, in words.
pub(crate) fn kind_words(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Processing => "Not processed",
        FailureKind::Delivery => "Not delivered",
        FailureKind::Rejection => "Turned away",
        FailureKind::Gap => "Never came",
        FailureKind::Notification => "Not sent",
    }
}

/// So many of a kind.
pub(crate) fn counted_kind(kind: FailureKind, n: u64) -> String {
    match kind {
        FailureKind::Processing => text::counted(n, "event", "events"),
        FailureKind::Delivery => text::counted(n, "delivery", "deliveries"),
        FailureKind::Rejection => text::counted(n, "request", "requests"),
        FailureKind::Gap => text::counted(n, "gap", "gaps"),
        FailureKind::Notification => text::counted(n, "notification", "notifications"),
    }
}

/// How long an attempt took.
pub(crate) fn took(ms: u32) -> String {
    if ms < 10_000 { format!("{} ms", text::count(ms.into())) } else { text::span((ms / 1_000).into()) }
}
