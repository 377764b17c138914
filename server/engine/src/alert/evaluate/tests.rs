//! What one look decides, without a database.

use super::super::facts::Kept;
use super::super::machine::{Course, Timer};
use super::super::scope::Of;
use super::super::{Turned, Write};
use super::*;
use model::{AlertId, Cause, CustomerId, Environment, Scope, When, WhenKind};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// A connection of SAP in this health since 0.
fn facts(health: Health) -> Facts {
    Facts {
        id: ConnectionId(Uuid::nil()),
        name: "Acme · SAP".to_owned(),
        of: Of {
            customer: CustomerId(Uuid::nil()),
            tags: Vec::new(),
            tier: None,
            platform: "sap".to_owned(),
            source: SourceId(Uuid::nil()),
            environment: Environment::Production,
            owners: Vec::new(),
        },
        health: Some(health),
        since: at(0),
        cause: Some(Cause::PlatformUnreachable),
        detail: Some("timeout".to_owned()),
        blind: false,
        covered_since: None,
    }
}

/// Offline or unknown for a minute, over after half of one; looked at since it was last changed.
fn rule(platform: &str) -> Compiled {
    let when = When { health: vec![Health::Offline, Health::Unknown], ..When::new(WhenKind::ConnectionHealth) };
    let scope = Scope { platforms: vec![platform.to_owned()], ..Scope::default() };
    Compiled { settled: true, ..Compiled::new(RuleId(Uuid::nil()), 7, when, scope, Timer::new(60, 30)) }
}

fn kept(fired_at: Option<i64>, well_since: Option<i64>) -> Kept {
    Kept {
        id: AlertId(Uuid::nil()),
        rule: RuleId(Uuid::nil()),
        subject: facts(Health::Offline).subject(),
        summary: String::new(),
        course: Course { since: at(0), fired_at: fired_at.map(at), well_since: well_since.map(at) },
        version: 3,
    }
}

/// One look at one rule and one connection. Answers what is written, how often the condition was looked at, and what is settled.
fn look(
    rule: Compiled,
    facts: Facts,
    kept: Option<Kept>,
    touches: &[(i64, Health)],
    now: i64,
) -> (Write, u64, Vec<(RuleId, i64)>) {
    let rules = Rules { fingerprint: (0, 0), all: [(rule.id, rule)].into() };
    let touches: Vec<_> = touches
        .iter()
        .map(|(second, health)| Touch { connection: facts.id, at: at(*second), health: Some(*health) })
        .collect();
    let batch = Batch {
        touched: rules.all.values().filter(|rule| rule.active && rule.is_touched()).collect(),
        anew: rules.all.values().filter(|rule| !rule.settled).collect(),
        rules: &rules,
        live: kept.iter().map(|kept| (kept.rule, facts.id)).collect(),
        facts: [(facts.id, facts)].into(),
        ledger: Ledger::new(kept.into_iter().collect()),
    };
    let settled = batch.settled();
    let (write, looks) = batch.decide(&touches, at(now));
    (write, looks, settled)
}

fn turned(write: &Write) -> &Turned {
    assert_eq!((write.started.len(), write.turned.len(), write.ended.len()), (0, 1, 0), "{write:?}");
    &write.turned[0]
}

#[test]
fn a_touch_starts_what_waits_for_it_and_passes_the_rest_by() {
    let (write, looks, settled) = look(rule("sap"), facts(Health::Offline), None, &[(5, Health::Offline)], 64);
    assert_eq!((write.started.len(), looks, settled), (1, 1, Vec::new()));
    let new = &write.started[0];
    assert_eq!((new.course.since, new.course.fired_at, new.due_at, new.tell), (at(5), None, Some(at(65)), false));
    let (write, ..) = look(rule("sap"), facts(Health::Offline), None, &[(5, Health::Offline)], 65);
    assert_eq!((write.started[0].course.fired_at, write.started[0].tell), (Some(at(65)), true));
    let (write, ..) = look(rule("netsuite"), facts(Health::Offline), None, &[(5, Health::Offline)], 65);
    assert_eq!(write, Write::default(), "it is not in scope");
    let (write, looks, _) = look(rule("sap"), facts(Health::Healthy), None, &[(5, Health::Healthy)], 65);
    assert_eq!((write, looks), (Write::default(), 0), "the rule waits for something else");
}

#[test]
fn what_was_so_is_said_of_what_is_no_longer() {
    let summary =
        |now: Health| look(rule("sap"), facts(now), None, &[(5, Health::Offline)], 10).0.started[0].summary.clone();
    assert_eq!(summary(Health::Offline), "Offline: timeout");
    assert_eq!(summary(Health::Healthy), "Offline");
}

#[test]
fn a_touch_for_the_better_lets_what_fires_recover() {
    let (write, ..) =
        look(rule("sap"), facts(Health::Healthy), Some(kept(Some(60), None)), &[(90, Health::Healthy)], 91);
    let turned = turned(&write);
    assert_eq!((turned.course.well_since, turned.resolved_at, turned.version), (Some(at(90)), None, 4));
    let (write, ..) = look(rule("sap"), facts(Health::Healthy), Some(kept(Some(60), Some(90))), &[], 120);
    assert_eq!(self::turned(&write).resolved_at, Some(at(120)), "by the clock");
}

#[test]
fn what_is_not_seen_begins_nothing_to_fire_and_ends_nothing_that_does() {
    let blind = |health| Facts { blind: true, ..facts(health) };
    let (write, ..) = look(rule("sap"), blind(Health::Unknown), None, &[(5, Health::Unknown)], 100);
    assert_eq!(write, Write::default());
    let pending = || Some(kept(None, None));
    let (write, ..) = look(rule("sap"), blind(Health::Unknown), pending(), &[], 60);
    assert_eq!((write.turned.len(), write.ended.len()), (0, 1), "its patience ends while nothing is seen");
    let (write, ..) = look(rule("sap"), blind(Health::Unknown), pending(), &[], 59);
    assert_eq!(write, Write::default(), "its patience lasts");
    for facts in [blind(Health::Offline), facts(Health::Unknown)] {
        let (write, ..) = look(rule("sap"), facts, pending(), &[], 60);
        assert_eq!(turned(&write).course.fired_at, Some(at(60)), "that was seen");
    }
    let fires = Some(kept(Some(60), None));
    let (write, ..) = look(rule("sap"), blind(Health::Unknown), fires, &[(90, Health::Unknown)], 100);
    assert!(
        write.ended.is_empty() && write.turned.iter().all(|turned| turned.course.well_since.is_none()),
        "{write:?}"
    );
    let recovers = Some(kept(Some(60), Some(70)));
    let (write, ..) = look(rule("sap"), blind(Health::Unknown), recovers, &[], 100);
    assert_eq!(turned(&write).resolved_at, Some(at(100)), "a hold ends whatever is seen");
}

#[test]
fn a_changed_rule_is_as_if_it_had_always_been_so_but_fires_only_now() {
    let changed = || Compiled { settled: false, ..rule("sap") };
    let (write, _, settled) = look(changed(), facts(Health::Offline), None, &[], 100);
    let new = &write.started[0];
    assert_eq!((new.course.since, new.course.fired_at, new.tell), (at(0), Some(at(100)), true));
    assert_eq!(settled, [(RuleId(Uuid::nil()), 7)]);
    let (write, ..) = look(changed(), facts(Health::Offline), Some(kept(Some(60), None)), &[], 100);
    let goes_on = turned(&write);
    assert_eq!(
        (goes_on.course.fired_at, goes_on.resolved_at, goes_on.tell),
        (Some(at(60)), None, false),
        "it holds still"
    );
    let (write, ..) = look(changed(), facts(Health::Healthy), Some(kept(Some(60), None)), &[], 100);
    assert_eq!(turned(&write).course.well_since, Some(at(100)), "it holds no more");
    let off = Compiled { active: false, ..changed() };
    let elsewhere = Compiled { settled: false, ..rule("netsuite") };
    for rule in [off, elsewhere] {
        let (write, ..) = look(rule.clone(), facts(Health::Offline), Some(kept(Some(60), None)), &[], 100);
        assert_eq!((turned(&write).resolved_at, turned(&write).tell), (Some(at(100)), true), "over at once");
        let (write, ..) = look(rule.clone(), facts(Health::Offline), Some(kept(None, None)), &[], 50);
        assert_eq!((write.turned.len(), write.ended.len()), (0, 1), "it never fired");
        let (write, ..) = look(rule, facts(Health::Offline), None, &[], 100);
        assert_eq!(write, Write::default());
    }
}
