//! A webhook from its bytes to the health that follows from it: read by both dialects, weighed, judged.
//!
//! An input is a line and a body. The line is the header that may name the kind; its first byte says by its low bits in
//! which dialect the body is read, and whether by a source's own mappings.
#![no_main]

use chrono::{DateTime, TimeDelta, Utc};
use engine::health::{Known, Policy, Sighting, facts_of_news, judge, weigh};
use engine::webhook::event::{News, Parsed, parse};
use libfuzzer_sys::fuzz_target;
use model::{Dialect, Eye, Mappings};
use reqwest::header::{HeaderMap, HeaderValue};
use std::sync::LazyLock;

static OWN: LazyLock<Mappings> = LazyLock::new(|| {
    serde_json::from_str(
        r#"{"fields": {"event": "type", "connection_id": "conn", "data": "payload"},
            "events": {"conn.changed": "connection.status_changed"}, "statuses": {"tot": "offline"}}"#,
    )
    .expect("these are mappings")
});

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let (how, kind) = line.split_first().map_or((0, &[][..]), |(how, kind)| (*how, kind));
    let dialect = if how & 1 == 0 { Dialect::FaqV1 } else { Dialect::Openapi2025 };
    let mappings = if how & 2 == 0 { &Mappings::default() } else { &*OWN };
    let mut headers = HeaderMap::new();
    if let (false, Ok(kind)) = (kind.is_empty(), HeaderValue::from_bytes(kind)) {
        headers.insert("x-webhook-event", kind);
    }
    let received_at = DateTime::from_timestamp(1_795_348_800, 0).expect("a moment of 2026");
    let parsed = parse(dialect, mappings, &headers, body, received_at);
    check(&parsed, received_at);
    if let Some(news) = &parsed.news {
        follow(news, &parsed, received_at);
    }
});

fn check(parsed: &Parsed, received_at: DateTime<Utc>) {
    let own = parsed.occurred_at;
    assert_eq!(parsed.effective_at, own.map_or(received_at, |own| own.min(received_at)));
    assert_eq!(parsed.clamped, own.is_some_and(|own| own > received_at));
    assert!(parsed.news.is_none() || parsed.kind.is_some(), "news of no kind");
    fits(parsed.kind_raw.as_deref(), 200);
    fits(parsed.connection_key.as_deref(), 200);
    assert!(parsed.records.is_empty() || (parsed.of_records && parsed.kind_raw.is_some()), "records of no kind");
    parsed.records.iter().for_each(|record| fits(Some(record), 200));
    match &parsed.news {
        Some(News::ReauthorizationRequired { code, message } | News::SyncFailed { code, message, .. }) => {
            fits(code.as_deref(), 200);
            fits(message.as_deref(), 2_000);
        }
        Some(News::Offline { message }) => fits(message.as_deref(), 2_000),
        Some(News::SystemError { code, message, told }) => {
            fits(code.as_deref(), 200);
            fits(message.as_deref(), 2_000);
            fits(told.operation.as_deref(), 200);
            told.entities.iter().for_each(|entity| fits(Some(entity), 200));
        }
        Some(News::SyncCompleted { finished_at, started_at, summary, .. }) => {
            assert!(finished_at.is_none_or(|at| at <= received_at) && started_at.is_none_or(|at| at <= received_at));
            fits(summary.as_deref(), 2_000);
        }
        Some(News::Online) | None => {}
    }
}

/// Fit for a text column.
fn fits(text: Option<&str>, longest: usize) {
    assert!(
        text.is_none_or(|text| !text.is_empty() && !text.contains('\0') && text.chars().count() <= longest),
        "{text:?}"
    );
}

/// What it says is weighed against what was known an hour before, and judged.
fn follow(news: &News, parsed: &Parsed, received_at: DateTime<Utc>) {
    let known = Known::nothing(received_at - TimeDelta::hours(1));
    let facts = facts_of_news(news, parsed.effective_at);
    assert!(!facts.to_json().to_string().contains("\\u0000"));
    let sighting = Sighting { eye: Eye::Webhook, at: parsed.effective_at, own_at: parsed.occurred_at, facts };
    let weighed = weigh(&known, &sighting, TimeDelta::zero(), received_at);
    assert_eq!(weigh(&known, &sighting, TimeDelta::zero(), received_at), weighed);
    let policy = Policy {
        cadence_default: Some(3_600),
        late_factor: 1.5,
        late_grace: TimeDelta::minutes(5),
        proof_allowance: TimeDelta::hours(24),
        hearing: None,
    };
    let judged = judge(&weighed.known, None, Some(parsed.effective_at), &policy, received_at);
    assert!(judged.due.is_none_or(|due| due > received_at), "due already: {judged:?}");
}
