//! Reads what is kept of the past of rules that look at time and counts, and replays it.

use super::condition::{flapping, waits};
use super::facts::Facts;
use super::past::{Span, failing, gated, too_long};
use super::preview::{Replay, Seen};
use super::rule::Compiled;
use super::scope::{matches, matches_source};
use super::sentence::failures;
use crate::health::lull::LullKind;
use crate::housekeeping::COUNTS_ARE_KEPT;
use crate::store::{alert_facts, alert_history, past, past_failures};
use chrono::{DateTime, TimeDelta, Utc};
use model::{ConnectionId, FailureKind, SilenceOf, SourceId, Subject, SubjectKind, WhenKind};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// From when until when is replayed.
pub(super) type Window = (DateTime<Utc>, DateTime<Utc>);

/// When sources could not be seen.
pub(super) async fn blindness(conn: &mut PgConnection, from: DateTime<Utc>) -> Result<HashMap<SourceId, Vec<Span>>> {
    let mut blind: HashMap<SourceId, Vec<Span>> = HashMap::new();
    for (source, since, until) in alert_history::blindness(conn, from).await? {
        blind.entry(source).or_default().push((since, until));
    }
    Ok(blind)
}

/// The connections that were there within the window and are in scope.
pub(super) async fn in_scope(
    conn: &mut PgConnection,
    rule: &Compiled,
    from: DateTime<Utc>,
) -> Result<HashMap<ConnectionId, Facts>> {
    let all = alert_facts::there_since(conn, from).await?;
    Ok(all.into_iter().filter(|facts| matches(&rule.scope, &facts.of)).map(|facts| (facts.id, facts)).collect())
}

/// Late syncs, and silence.
pub(super) async fn pauses(
    conn: &mut PgConnection,
    rule: &Compiled,
    replay: &mut Replay,
    window: Window,
) -> Result<()> {
    if rule.when.kind == WhenKind::Silence && rule.when.of == Some(SilenceOf::Source) {
        return of_sources(conn, rule, replay, window).await;
    }
    let kind = if rule.when.kind == WhenKind::SyncLate { LullKind::Sync } else { LullKind::Sign };
    let mut spans: HashMap<ConnectionId, Vec<Span>> = HashMap::new();
    past::pauses(conn, kind, &rule.when, window, |id, pauses| {
        spans.insert(id, too_long(&rule.when, pauses));
    })
    .await?;
    of_connections(conn, rule, replay, window, spans).await
}

/// Turning bad again and again.
pub(super) async fn turning(
    conn: &mut PgConnection,
    rule: &Compiled,
    replay: &mut Replay,
    (from, now): Window,
) -> Result<()> {
    let window = TimeDelta::try_seconds(rule.when.window_seconds.unwrap_or(0)).unwrap_or_default();
    let often = rule.when.transitions.and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let mut spans: HashMap<ConnectionId, Vec<Span>> = HashMap::new();
    // what began before the window and reaches into it is whole
    let before = from.checked_sub_signed(window * 2).unwrap_or(from);
    past::flips(conn, before, now, |id, flips| {
        let all = flapping(flips, often, window);
        spans.insert(id, all.into_iter().map(|(from, to)| (from, Some(to))).collect());
    })
    .await?;
    of_connections(conn, rule, replay, (from, now), spans).await
}

/// Spans of connections, while they were there to be looked at.
async fn of_connections(
    conn: &mut PgConnection,
    rule: &Compiled,
    replay: &mut Replay,
    (from, now): Window,
    mut spans: HashMap<ConnectionId, Vec<Span>>,
) -> Result<()> {
    let facts = in_scope(conn, rule, from).await?;
    let blind = blindness(conn, from).await?;
    spans.retain(|id, spans| !spans.is_empty() && facts.contains_key(id));
    let ids: Vec<Uuid> = spans.keys().map(|id| id.0).collect();
    alert_history::turns(conn, &ids, from, now, |id, turns| {
        let (Some(facts), Some(spans)) = (facts.get(&id), spans.get(&id)) else { return };
        let may: Vec<_> = turns.iter().map(|(at, health)| (*at, waits(rule.when.kind, *health))).collect();
        let blind = blind.get(&facts.of.source).map_or(&[][..], Vec::as_slice);
        replay.take(&gated(spans, &may, blind, now), || facts.subject());
    })
    .await
}

async fn of_sources(conn: &mut PgConnection, rule: &Compiled, replay: &mut Replay, (from, now): Window) -> Result<()> {
    let kept_from = (now - COUNTS_ARE_KEPT).max(DateTime::UNIX_EPOCH);
    let mut all: HashMap<SourceId, (Subject, Vec<Seen>)> = HashMap::new();
    for pause in past::source_pauses(conn, &rule.when, kept_from, now).await? {
        let over = super::condition::silent_since(&rule.when, pause.since);
        let Some(over) = over.filter(|over| *over <= now && pause.to.is_none_or(|to| to > *over && to > from)) else {
            continue;
        };
        if !matches_source(&rule.scope, pause.id, pause.environment) {
            continue;
        }
        let subject = || Subject { kind: SubjectKind::Source, id: pause.id.to_string(), name: pause.name.clone() };
        let (_, seen) = all.entry(pause.id).or_insert_with(|| (subject(), Vec::new()));
        seen.push(Seen::new(over, true));
        seen.extend(pause.to.map(|end| Seen::new(end, false)));
    }
    for (subject, seen) in all.into_values() {
        replay.take(&seen, || subject.clone());
    }
    Ok(())
}

/// Failed webhooks.
pub(super) async fn failed(
    conn: &mut PgConnection,
    rule: &Compiled,
    replay: &mut Replay,
    (from, now): Window,
) -> Result<()> {
    let (when, kinds) = (&rule.when, failures(&rule.when));
    let lasting = when.older_than_seconds.is_some();
    let window = when.window_seconds.and_then(TimeDelta::try_seconds).unwrap_or_default();
    let since = from.checked_sub_signed(window).unwrap_or(from);
    for source in past_failures::of_sources(conn, &kinds, since, now, lasting).await? {
        if matches_source(&rule.scope, source.id, source.environment) {
            let seen = failing(when, &source.failed, &source.taken, now);
            let name = source.name;
            replay.take(&seen, || Subject { kind: SubjectKind::Source, id: source.id.to_string(), name });
        }
    }
    if kinds.contains(&FailureKind::Notification) {
        let failed = past_failures::notifications(conn, since, now, lasting).await?;
        replay.take(&failing(when, &failed, &[], now), || Subject {
            kind: SubjectKind::Linewatch,
            id: "notifications".to_owned(),
            name: "Messages to people".to_owned(),
        });
    }
    Ok(())
}
