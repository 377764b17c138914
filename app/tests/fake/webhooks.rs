//! Webhooks on a bad day: an endpoint whose certificate has expired, one that is switched off, a secret that was rotated.

use super::{FakeBackend, now};
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    Attempt, AttemptError, AttemptOutcome, AttemptTrigger, BulkState, ChannelRef, ConnectionRef, Delivery, DeliveryId,
    DeliveryQuery, DeliveryState, Endpoint, EndpointFilter, EndpointHealth, EndpointId, EndpointRef, EndpointSecret,
    Environment, Event, EventDetail, EventId, EventQuery, EventState, Failure, FailureGroup, FailureHint, FailureKind,
    FailureQuery, FailureSummary, GapId, GapView, MakiniDelivery, NewRetry, Page, Refusal, Rejection, RejectionId,
    RejectionReason, Retry, RetryError, RetryId, Revealed, Sent, SourceId,
};
use uuid::Uuid;

const PAYLOAD: &str = r#"{"id":"evt_7f1c09","event":"purchase_order.updated","connection_id":"09000207611898","data":{"number":"PO-20931","status":"approved","access_token":"[redacted]"}}"#;

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

fn error(class: &str, message: &str) -> AttemptError {
    AttemptError { class: class.into(), message: message.into() }
}

fn expired() -> AttemptError {
    error("tls", "The certificate of erp-hooks.example expired on 21 Nov.")
}

fn connection() -> ConnectionRef {
    ConnectionRef { id: Uuid::from_u128(1).into(), name: "Aldermoor Paper – SAP ECC".into() }
}

fn endpoint_ref() -> EndpointRef {
    EndpointRef { id: Uuid::from_u128(20_001).into(), name: "erp-hooks".into() }
}

/// One in each health.
pub fn endpoints() -> Vec<Endpoint> {
    let secret = |n: u128, hint: &str, days, expires_at| EndpointSecret {
        id: Uuid::from_u128(n).into(),
        hint: hint.into(),
        created_at: now() - TimeDelta::days(days),
        expires_at,
    };
    let of = |n: u128, name: &str, health| Endpoint {
        id: Uuid::from_u128(20_000 + n).into(),
        name: name.into(),
        url: format!("https://{name}.example/makini"),
        filter: EndpointFilter::default(),
        ordered: false,
        enabled: health != EndpointHealth::Disabled,
        concurrency: 10,
        rate_per_second: None,
        owner: None,
        health,
        last_error: None,
        last_ok_at: Some(ago(2)),
        open_since: None,
        waiting: 0,
        secrets: vec![secret(20_500 + n, "Qm8=", 40, None)],
        secret: None,
        version: 3,
        created_at: now() - TimeDelta::days(40),
    };
    vec![
        Endpoint { last_error: Some(error("answer", "It answered 500.")), ..of(2, "billing", EndpointHealth::Failing) },
        of(3, "data-lake", EndpointHealth::Healthy),
        Endpoint {
            filter: EndpointFilter {
                kinds: vec!["purchase_order.updated".into()],
                sources: vec![Uuid::from_u128(900).into()],
                environments: vec![Environment::Production],
                ..EndpointFilter::default()
            },
            ordered: true,
            rate_per_second: Some(50),
            owner: Some("erp-team@example.com".into()),
            last_error: Some(expired()),
            last_ok_at: Some(ago(340)),
            open_since: Some(ago(318)),
            waiting: 318,
            secrets: vec![
                secret(20_600, "a9Z=", 0, None),
                secret(20_601, "77x=", 200, Some(now() + TimeDelta::hours(20))),
            ],
            ..of(1, "erp-hooks", EndpointHealth::Open)
        },
        Endpoint { waiting: 12, last_ok_at: None, ..of(4, "old-erp", EndpointHealth::Disabled) },
    ]
}

fn attempt(n: u32, minutes: i64, trigger: AttemptTrigger, error: Option<AttemptError>) -> Attempt {
    Attempt {
        n,
        trigger,
        by: (trigger == AttemptTrigger::Person).then(|| "Ines Ferreira".to_owned()),
        started_at: ago(minutes),
        duration_ms: 38 + n,
        outcome: if error.is_some() { AttemptOutcome::Retry } else { AttemptOutcome::Ok },
        status: None,
        error,
    }
}

/// Tried three times, the last with another answer.
pub fn delivery(n: u128) -> Delivery {
    let sent = |attempt, answer: Option<&str>| Sent { attempt, answer: answer.map(str::to_owned) };
    let last = Attempt {
        status: Some(503),
        duration_ms: 4_100,
        outcome: if n == 2 { AttemptOutcome::Failed } else { AttemptOutcome::Retry },
        ..attempt(3, 20, AttemptTrigger::Person, Some(error("answer", "It answered 503.")))
    };
    Delivery {
        id: Uuid::from_u128(30_000 + n).into(),
        event_id: Uuid::from_u128(40_001).into(),
        endpoint_id: endpoint_ref().id,
        endpoint: endpoint_ref().name,
        connection_id: Some(connection().id),
        kind: Some("purchase_order.updated".into()),
        state: match n {
            1 => DeliveryState::Pending,
            2 => DeliveryState::Failed,
            3 => DeliveryState::Waiting,
            _ => DeliveryState::Done,
        },
        received_at: ago(60),
        due_at: (n == 1).then(|| now() + TimeDelta::minutes(12)),
        until: (n == 1).then(|| now() + TimeDelta::hours(22)),
        attempts: vec![
            sent(attempt(1, 60, AttemptTrigger::Arrival, Some(expired())), None),
            sent(attempt(2, 59, AttemptTrigger::Schedule, Some(expired())), None),
            sent(last, Some("<h1>Service unavailable</h1>")),
        ],
    }
}

pub fn event(n: u128) -> EventDetail {
    let failed = error("unknown_connection", "No connection has the identifier 09000215550001.");
    EventDetail {
        event: Event {
            id: Uuid::from_u128(40_000 + n).into(),
            source: "production".into(),
            webhook_id: (n != 3).then(|| format!("evt_7f1c0{n}")),
            kind: Some(if n == 2 { "work_order.created" } else { "purchase_order.updated" }.into()),
            connection_id: (n != 2).then(|| connection().id),
            occurred_at: Some(ago(61)),
            received_at: ago(60),
            state: match n {
                2 => EventState::Failed,
                3 => EventState::Unrecognised,
                4 => EventState::Superseded,
                5 => EventState::Pending,
                _ => EventState::Processed,
            },
            maybe_repeat: n == 3,
            duplicates: if n == 4 { 2 } else { 0 },
            attempts: match n {
                2 => vec![
                    attempt(1, 60, AttemptTrigger::Arrival, Some(failed.clone())),
                    attempt(2, 30, AttemptTrigger::Bulk, Some(failed)),
                ],
                5 => Vec::new(),
                _ => vec![attempt(1, 60, AttemptTrigger::Arrival, None)],
            },
        },
        payload: Some(PAYLOAD.into()),
        headers: vec![
            ("content-type".into(), "application/json".into()),
            ("x-webhook-signature".into(), "3q2+7w==".into()),
        ],
    }
}

/// The channel of the message that failed.
fn channel_ref() -> ChannelRef {
    ChannelRef { id: Uuid::from_u128(5_401).into(), name: "erp-alerts".into() }
}

/// One of every kind that can fail.
pub fn failures() -> Vec<Failure> {
    let delivery = |n: u128, minutes, next: Option<i64>| Failure {
        kind: FailureKind::Delivery,
        id: Uuid::from_u128(30_000 + n),
        at: ago(minutes),
        source: Some("production".into()),
        connection: Some(connection()),
        endpoint: Some(endpoint_ref()),
        channel: None,
        what: Some("purchase_order.updated".into()),
        error: expired(),
        attempts_count: 3,
        next_due_at: next.map(|minutes| now() + TimeDelta::minutes(minutes)),
        retryable: true,
    };
    let plain = |kind, id: u128, minutes, class: &str, message: &str| Failure {
        kind,
        id: Uuid::from_u128(id),
        endpoint: None,
        connection: None,
        what: None,
        attempts_count: 0,
        next_due_at: None,
        retryable: false,
        error: error(class, message),
        ..delivery(0, minutes, None)
    };
    vec![
        delivery(1, 60, Some(12)),
        delivery(2, 62, None),
        Failure {
            what: Some("work_order.created".into()),
            attempts_count: 2,
            retryable: true,
            ..plain(
                FailureKind::Processing,
                40_002,
                90,
                "unknown_connection",
                "No connection has the identifier 09000215550001.",
            )
        },
        plain(FailureKind::Rejection, 50_001, 95, "signature_wrong", "The signature is not of any live secret."),
        Failure {
            connection: Some(connection()),
            what: Some("sync_completed".into()),
            ..plain(FailureKind::Gap, 60_001, 300, "never_came", "A poll told it; its webhook never came.")
        },
        Failure {
            source: None,
            channel: Some(channel_ref()),
            what: Some("Aldermoor Paper must sign in again to SAP ECC".into()),
            attempts_count: 2,
            retryable: true,
            ..plain(
                FailureKind::Notification,
                5_601,
                310,
                "gone",
                "Slack says that this webhook was removed (404, no_service).",
            )
        },
    ]
}

fn fits(failure: &Failure, query: &FailureQuery) -> bool {
    (query.endpoint.is_none() || failure.endpoint.as_ref().map(|endpoint| endpoint.id) == query.endpoint)
        && (query.id.is_empty() || query.id.contains(&failure.id))
        && query.q.as_ref().is_none_or(|q| failure.error.message.contains(q.as_str()))
        && query.since.is_none_or(|since| failure.at >= since)
        && query.connection.is_none_or(|id| failure.connection.as_ref().is_some_and(|connection| connection.id == id))
        && (query.error.is_empty() || query.error.contains(&failure.error.class))
}

pub fn page(desk: &FakeBackend, query: &FailureQuery) -> Page<Failure> {
    let of_kind = |failure: &&Failure| query.kind.is_empty() || query.kind.contains(&failure.kind);
    let items: Vec<_> = desk.failures.iter().filter(of_kind).filter(|one| fits(one, query)).cloned().collect();
    Page { next_cursor: (items.len() > 4).then(|| "next-one".to_owned()), items }
}

pub fn summary(desk: &FakeBackend, query: &FailureQuery) -> FailureSummary {
    let mut summary = FailureSummary::default();
    for failure in &desk.failures {
        if !summary.errors.contains(&failure.error.class) {
            summary.errors.push(failure.error.class.clone());
        }
        summary.connections.extend(failure.connection.clone().filter(|_| summary.connections.is_empty()));
    }
    for failure in desk.failures.iter().filter(|one| fits(one, query)) {
        *summary.counts.entry(failure.kind).or_default() += if failure.kind == FailureKind::Delivery { 159 } else { 1 };
    }
    if summary.counts.contains_key(&FailureKind::Rejection) {
        summary.hints.push(FailureHint {
            source: Uuid::from_u128(900).into(),
            source_name: "production".into(),
            since: ago(95),
            count: 41,
            text: "Every request has a wrong signature: was the webhook secret changed at Makini?".into(),
        });
    }
    summary
}

pub fn groups(desk: &FakeBackend, query: &FailureQuery) -> Vec<FailureGroup> {
    let counts = summary(desk, query).counts;
    let of = |failure: &Failure| FailureGroup {
        kind: failure.kind,
        error: failure.error.clone(),
        endpoint: failure.endpoint.clone(),
        channel: failure.channel.clone(),
        source: failure.source.clone(),
        count: counts.get(&failure.kind).copied().unwrap_or_default(),
        first_at: failure.at,
        last_at: ago(1),
        retryable: failure.retryable,
    };
    let mut groups: Vec<_> = desk.failures.iter().filter(|one| fits(one, query)).map(of).collect();
    groups.dedup_by_key(|group| group.kind);
    groups
}

pub fn one_event(desk: &FakeBackend, id: EventId) -> Result<EventDetail, Refusal> {
    let known = !desk.failures.is_empty() && (40_001..=40_005).contains(&id.0.as_u128());
    if known { Ok(event(id.0.as_u128() - 40_000)) } else { Err(Refusal::NotFound("This event".into())) }
}

pub fn events(desk: &FakeBackend, query: &EventQuery) -> Page<Event> {
    let all = if desk.failures.is_empty() { 1..1 } else { 1..6 };
    let fits = |event: &Event| query.state.is_empty() || query.state.contains(&event.state);
    Page { items: all.map(|n| event(n).event).filter(fits).collect(), next_cursor: None }
}

pub fn one_delivery(id: DeliveryId) -> Result<Delivery, Refusal> {
    match id.0.as_u128().checked_sub(30_000) {
        Some(n @ 1..=4) => Ok(delivery(n)),
        _ => Err(Refusal::NotFound("This delivery".into())),
    }
}

pub fn deliveries(query: &DeliveryQuery) -> Page<Delivery> {
    let fits = |one: &Delivery| {
        query.event.is_none_or(|id| id == one.event_id)
            && query.endpoint.is_none_or(|id| id == one.endpoint_id)
            && (query.state.is_empty() || query.state.contains(&one.state))
    };
    Page { items: (1..5).map(delivery).filter(fits).collect(), next_cursor: None }
}

pub fn one_endpoint(desk: &FakeBackend, id: EndpointId) -> Result<Endpoint, Refusal> {
    desk.endpoints.iter().find(|endpoint| endpoint.id == id).cloned().ok_or(Refusal::NotFound("This endpoint".into()))
}

/// What a test event is answered.
pub fn trial() -> Sent {
    let attempt = attempt(1, 0, AttemptTrigger::Person, Some(expired()));
    Sent { attempt: Attempt { outcome: AttemptOutcome::Failed, ..attempt }, answer: None }
}

pub fn rejection(id: RejectionId) -> Result<Rejection, Refusal> {
    if id.0.as_u128() != 50_001 {
        return Err(Refusal::NotFound("This rejection".into()));
    }
    Ok(Rejection {
        id,
        source: "production".into(),
        received_at: ago(95),
        reason: RejectionReason::SignatureWrong,
        detail: "The signature is not of any live secret. Was the secret rotated?".into(),
        headers: event(1).headers,
        excerpt: PAYLOAD[..60].into(),
    })
}

pub fn gap(id: GapId) -> Result<GapView, Refusal> {
    if id.0.as_u128() != 60_001 {
        return Err(Refusal::NotFound("This gap".into()));
    }
    Ok(GapView {
        id,
        connection: connection(),
        source: "production".into(),
        kind: "sync_completed".into(),
        happened_at: ago(310),
        found_at: ago(309),
        missed_at: ago(300),
        came_at: None,
        explanation: "Nothing of it reached this door, so it was probably lost at the sender.".into(),
    })
}

pub fn revealed() -> Revealed {
    let payload = PAYLOAD.replace("[redacted]", "tok_live_9");
    Revealed { json: serde_json::from_str(&payload).unwrap_or_default(), payload }
}

/// Only counted where that was asked; else one that runs.
pub fn start(desk: &FakeBackend, new: &NewRetry) -> Result<Retry, Refusal> {
    let matches = page(desk, &new.filter.query()?).items.into_iter().filter(|failure| failure.retryable).count();
    let total = if new.filter.0.0.contains_key("id") { matches as i64 } else { matches as i64 * 159 };
    let run = run(None, None);
    Ok(Retry { filter: new.filter.clone(), total, remaining: total, done: 0, failed: 0, skipped: 0, let_go: 0, ..run })
}

/// One under way, one that is through, and one that was cancelled, by the last digit of its id.
pub fn retry(id: RetryId) -> Result<Retry, Refusal> {
    match id.0.as_u128() {
        1 => Ok(run(Some(id), Some(BulkState::Running))),
        2 => Ok(Retry {
            done: 315,
            let_go: 318,
            remaining: 0,
            ended_at: Some(ago(1)),
            ..run(Some(id), Some(BulkState::Done))
        }),
        3 => Ok(Retry { ended_at: Some(ago(1)), ..run(Some(id), Some(BulkState::Cancelled)) }),
        _ => Err(Refusal::NotFound("This retry".into())),
    }
}

fn run(id: Option<RetryId>, state: Option<BulkState>) -> Retry {
    let mut filter = model::RetryFilter::default();
    filter.0.0.insert("kind".into(), vec!["delivery".into()]);
    filter.0.0.insert("endpoint".into(), vec![endpoint_ref().id.to_string()]);
    let failed = RetryError { message: "It answered 503.".into(), count: 3 };
    Retry {
        id,
        state,
        filter,
        rate: 50,
        total: 318,
        done: 204,
        failed: 3,
        skipped: 0,
        let_go: 220,
        remaining: 111,
        by: "Ines Ferreira".into(),
        started_at: id.map(|_| ago(2)),
        ended_at: None,
        errors: if id.is_some() { vec![failed] } else { Vec::new() },
    }
}

/// One source tells, the other does not.
pub fn makini(id: SourceId) -> Result<Page<MakiniDelivery>, Refusal> {
    if id.0.as_u128() != 900 {
        return Err(Refusal::NotFound("This source does not tell of its own failed webhooks.".into()));
    }
    let one = MakiniDelivery {
        id: "evt_lost".into(),
        kind: "connection.sync_completed".into(),
        connection_key: Some("09000207611898".into()),
        connection: Some(connection()),
        status: "failed".into(),
        created_at: Some(ago(1_500)),
        next_attempt_at: None,
        attempts_count: 9,
        error: Some("connection refused".into()),
    };
    let other = MakiniDelivery {
        id: "evt_late".into(),
        connection: None,
        status: "pending".into(),
        next_attempt_at: Some(now() + TimeDelta::minutes(8)),
        error: None,
        ..one.clone()
    };
    Ok(Page { items: vec![one, other], next_cursor: None })
}
