//! For whom the rules hold that no single connection's turn decides: each kind is one statement, and a little arithmetic.

use super::condition::{aged_since, fails, flapping, late_since, many, silent_since};
use super::facts::{Facts, Holding};
use super::rule::Compiled;
use super::scope::{matches, matches_platform, matches_source};
use super::sentence::{failures, span};
use crate::housekeeping::room_until;
use crate::store::{alert_facts, alert_history, alert_sweep, event_due, replica, source};
use crate::system::concern::{self, Which};
use chrono::{DateTime, TimeDelta, Utc};
use model::{ConcernCode, ConnectionId, FailureKind, OutageKind, Severity, SilenceOf, Subject, SubjectKind, WhenKind};
use sqlx::{PgConnection, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// What the alert about Linewatch's own polling is about.
pub(super) const POLLER: &str = "poller";

/// For whom a rule holds right now. Empty for rules that follow single connections: nothing is swept for them.
pub(super) async fn holding(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    match rule.when.kind {
        WhenKind::ConnectionHealth => Ok(Vec::new()),
        WhenKind::ShareOfConnections => share(conn, rule).await,
        WhenKind::SyncLate => late(conn, rule, now).await,
        WhenKind::Silence => silent(conn, rule, now).await,
        WhenKind::FailedWebhooks => failed(conn, rule, now).await,
        WhenKind::UpstreamUnwell => upstream(conn, rule, now).await,
        WhenKind::SelfUnwell => ourselves(conn, rule, now).await,
        WhenKind::CredentialAge => secrets(conn, rule, now).await,
        WhenKind::Flapping => unstable(conn, rule, now).await,
    }
}

fn thing(kind: SubjectKind, id: impl ToString, name: impl Into<String>, summary: String) -> Holding {
    let subject = Subject { kind, id: id.to_string(), name: name.into() };
    Holding { subject, summary, since: None, blind: false, covered_since: None }
}

/// Connections in scope, each with what is said of it. What was so while its source could not be seen counts from when it could be again.
async fn connections(
    conn: &mut PgConnection,
    rule: &Compiled,
    found: Vec<(ConnectionId, DateTime<Utc>)>,
    summary: impl Fn(&Facts, DateTime<Utc>) -> String,
) -> Result<Vec<Holding>> {
    let since: HashMap<_, _> = found.into_iter().collect();
    let ids: Vec<Uuid> = since.keys().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let facts = alert_facts::of(conn, &ids).await?;
    let seen_again = alert_history::seen_again(conn).await?;
    let in_scope = facts.iter().filter(|facts| matches(&rule.scope, &facts.of));
    Ok(in_scope
        .filter_map(|facts| {
            let since = (*since.get(&facts.id)?).max(seen_again.get(&facts.of.source).copied().unwrap_or_default());
            Some(Holding {
                subject: facts.subject(),
                summary: summary(facts, since),
                since: Some(since),
                blind: facts.blind,
                covered_since: facts.covered_since,
            })
        })
        .collect())
}

async fn share(conn: &mut PgConnection, rule: &Compiled) -> Result<Vec<Holding>> {
    let rest = alert_facts::share(conn, &rule.scope, &rule.healths.ranks()).await?;
    if !many(&rule.when, rest.hit, rest.total) {
        return Ok(Vec::new());
    }
    let healths: Vec<_> = rule.when.health.iter().map(|health| health.words().to_lowercase()).collect();
    let summary = format!("{} of {} connections: {}", rest.hit, rest.total, healths.join(", "));
    Ok(vec![thing(SubjectKind::Fleet, "connections", "Connections together", summary)])
}

async fn late(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    let found = alert_sweep::late(conn, &rule.when, now).await?;
    let since = |one: alert_sweep::Since| {
        let since = late_since(&rule.when, Some(one.last), one.cadence).filter(|since| *since <= now)?;
        Some((one.connection, one.free_at.map_or(since, |free| free.max(since))))
    };
    let found = found.into_iter().filter_map(since).collect();
    connections(conn, rule, found, |facts, since| {
        format!("Its last good sync is too old since {}. {}", since.format("%Y-%m-%d %H:%M UTC"), facts.summary())
    })
    .await
}

async fn silent(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    let long = span(rule.when.seconds.unwrap_or(0));
    if rule.when.of == Some(SilenceOf::Source) {
        let sources = alert_sweep::sources(conn, &[], None, None, now).await?;
        let quiet = sources.into_iter().filter(|source| matches_source(&rule.scope, source.id, source.environment));
        return Ok(quiet
            .filter_map(|source| {
                let since = silent_since(&rule.when, source.last).filter(|since| *since <= now)?;
                let summary = format!("No webhook has come for {long}");
                Some(Holding { since: Some(since), ..thing(SubjectKind::Source, source.id, source.name, summary) })
            })
            .collect());
    }
    let found = alert_sweep::silent_connections(conn, &rule.when, now).await?;
    let since = |one: alert_sweep::Since| {
        let since = silent_since(&rule.when, one.last)?;
        Some((one.connection, one.free_at.map_or(since, |free| free.max(since))))
    };
    let found = found.into_iter().filter_map(since).collect();
    connections(conn, rule, found, |_, _| format!("Nothing has come for {long}")).await
}

async fn failed(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    let (when, kinds) = (&rule.when, failures(&rule.when));
    let sources = alert_sweep::sources(conn, &kinds, when.window_seconds, when.older_than_seconds, now).await?;
    let names: Vec<_> = kinds.iter().map(|kind| kind.words().to_lowercase()).collect();
    let mut all: Vec<_> = sources
        .into_iter()
        .filter(|source| {
            matches_source(&rule.scope, source.id, source.environment) && fails(when, source.failed, source.taken)
        })
        .map(|source| {
            let summary = format!("{} failed ({})", source.failed, names.join(", "));
            thing(SubjectKind::Source, source.id, source.name, summary)
        })
        .collect();
    if kinds.contains(&FailureKind::Notification) {
        let n = alert_sweep::failed_notifications(conn, when.window_seconds, when.older_than_seconds, now).await?;
        if fails(when, n, n) {
            all.push(thing(
                SubjectKind::Linewatch,
                "notifications",
                "Messages to people",
                format!("{n} were not sent"),
            ));
        }
    }
    Ok(all)
}

/// The subject of an outage, if it is in scope: a platform's or a source's; what only says that nothing is seen is our own matter.
pub(super) fn of_outage(rule: &Compiled, outage: &alert_sweep::OutageRow) -> Option<Subject> {
    let (kind, id) = match (outage.kind, outage.source) {
        (OutageKind::Platform, _) => {
            (SubjectKind::Platform, matches_platform(&rule.scope, &outage.slug).then(|| outage.slug.clone())?)
        }
        (OutageKind::Source, Some((id, environment))) if !outage.blind => {
            (SubjectKind::Source, matches_source(&rule.scope, id, environment).then(|| id.to_string())?)
        }
        _ => return None,
    };
    Some(Subject { kind, id, name: outage.name.clone() })
}

async fn upstream(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    let lasting = alert_sweep::outages(conn, now).await?.into_iter().filter(|outage| outage.to.is_none());
    Ok(lasting
        .filter_map(|outage| {
            let subject = of_outage(rule, &outage)?;
            let summary = outage.text.clone().unwrap_or_else(|| "An outage".to_owned());
            Some(Holding { subject, summary, since: Some(outage.from), blind: false, covered_since: None })
        })
        .collect())
}

async fn ourselves(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    let sources = source::list(conn, None, "").await?;
    let replicas = replica::list(conn).await?;
    let facts = concern::Facts {
        sources: &sources,
        replicas: &replicas,
        silent: &[],
        broken: &[],
        waiting_since: event_due::oldest(conn, now).await?,
        room_until: room_until(conn, now).await?,
        certificate: None,
        public_url: "",
    };
    let outages = alert_sweep::outages(conn, now).await?;
    let poller = outages.iter().find(|outage| outage.to.is_none() && outage.kind == OutageKind::Poller);
    let mut all = Vec::new();
    if let Some(outage) = poller {
        let summary = outage.text.clone().unwrap_or_else(|| "Linewatch cannot reach any source".to_owned());
        all.push(Holding { since: Some(outage.from), ..thing(SubjectKind::Linewatch, POLLER, "Polling", summary) });
    }
    for concern in concern::concerns(facts, now) {
        let source = sources.iter().find(|source| Some(source.id) == concern.source);
        // one cause, one thing: where no source can be reached, that says it
        let told = concern.code == ConcernCode::SourceUnseen && poller.is_some();
        if concern.severity != Severity::Critical || told {
            continue;
        }
        let of = match source {
            Some(source) if !matches_source(&rule.scope, source.id, source.environment) => continue,
            Some(source) => thing(SubjectKind::Source, source.id, source.name.clone(), concern.title),
            None => thing(SubjectKind::Linewatch, concern.code, concern.code.words(), concern.title),
        };
        all.push(Holding { since: concern.since, ..of });
    }
    for broken in alert_sweep::broken(conn).await? {
        let of = match broken.which {
            Which::Endpoint(id) => {
                let summary = "It does not take events; deliveries wait".to_owned();
                thing(SubjectKind::Endpoint, id, broken.name, summary)
            }
            Which::Channel(id) => thing(SubjectKind::Channel, id, broken.name, "Messages do not arrive".to_owned()),
        };
        all.push(Holding { since: Some(broken.since), ..of });
    }
    Ok(all)
}

async fn secrets(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    let mut all: Vec<Holding> = Vec::new();
    for secret in alert_sweep::old_secrets(conn, &rule.when, now).await? {
        let (kind, id) = match (secret.owner.0.as_str(), secret.environment) {
            ("source", Some(environment)) => {
                if !matches_source(&rule.scope, secret.owner.1.into(), environment) {
                    continue;
                }
                (SubjectKind::Source, secret.owner.1)
            }
            ("endpoint", _) => (SubjectKind::Endpoint, secret.owner.1),
            _ => (SubjectKind::Channel, secret.owner.1),
        };
        let what = secret.kind.replace('_', " ");
        let summary = match secret.expires_at {
            Some(ends) => format!("Its {what} ends on {}", ends.format("%Y-%m-%d")),
            None => format!("Its {what} is {} days old", (now - secret.created_at).num_days()),
        };
        // one alert for each owner, about the oldest, since the first of them
        let since = aged_since(&rule.when, secret.created_at, secret.expires_at);
        let one = Holding { since, ..thing(kind, id, secret.name, summary) };
        match all.iter_mut().find(|other| (other.subject.kind, &other.subject.id) == (kind, &one.subject.id)) {
            Some(other) => other.since = [other.since, since].into_iter().flatten().min(),
            None => all.push(one),
        }
    }
    Ok(all)
}

async fn unstable(conn: &mut PgConnection, rule: &Compiled, now: DateTime<Utc>) -> Result<Vec<Holding>> {
    let often = rule.when.transitions.unwrap_or(1).max(1);
    let window = TimeDelta::try_seconds(rule.when.window_seconds.unwrap_or(0)).unwrap_or_default();
    let often_stored = i32::try_from(often).unwrap_or(i32::MAX);
    let found = alert_sweep::flapping(conn, often_stored, now.checked_sub_signed(window).unwrap_or(now)).await?;
    let spans = |flips: &[DateTime<Utc>]| flapping(flips, usize::try_from(often).unwrap_or(usize::MAX), window);
    let since = |(id, flips): (ConnectionId, Vec<DateTime<Utc>>)| {
        let (from, _) = spans(&flips).into_iter().rev().find(|(from, to)| (*from..*to).contains(&now))?;
        Some((id, from))
    };
    let found = found.into_iter().filter_map(since).collect();
    let within = span(window.num_seconds());
    connections(conn, rule, found, |_, _| format!("It turned bad {often} times within {within}")).await
}

#[cfg(test)]
mod tests {
    use super::super::machine::Timer;
    use super::*;
    use alert_sweep::OutageRow;
    use model::{Environment, RuleId, Scope, SourceId, When};

    #[test]
    fn an_outage_is_of_a_platform_or_of_a_source_that_can_be_seen() {
        let of = |kind, blind, scope: Scope| {
            let when = When::new(WhenKind::UpstreamUnwell);
            let rule = Compiled::new(RuleId(Uuid::nil()), 0, when, scope, Timer::new(0, 0));
            let outage = OutageRow {
                kind,
                slug: "sap".to_owned(),
                name: "SAP".to_owned(),
                source: (kind == OutageKind::Source).then_some((SourceId(Uuid::nil()), Environment::Sandbox)),
                from: DateTime::UNIX_EPOCH,
                to: None,
                blind,
                text: None,
            };
            of_outage(&rule, &outage).map(|subject| (subject.kind, subject.id))
        };
        let any = Scope::default;
        let maximo = || Scope { platforms: vec!["maximo".to_owned()], ..any() };
        let production = || Scope { environments: vec![Environment::Production], ..any() };
        let source = Some((SubjectKind::Source, Uuid::nil().to_string()));
        assert_eq!(of(OutageKind::Platform, false, any()), Some((SubjectKind::Platform, "sap".to_owned())));
        assert_eq!(of(OutageKind::Platform, false, maximo()), None);
        assert_eq!(of(OutageKind::Source, false, any()), source);
        assert_eq!(of(OutageKind::Source, false, production()), None);
        assert_eq!(of(OutageKind::Source, true, any()), None, "that it is not seen is our own matter");
        assert_eq!(of(OutageKind::Poller, false, any()), None);
    }
}
