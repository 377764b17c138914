//! Looking now and then, at whatever changed, is the same as having looked at all of it at once.

use super::*;
use crate::alert::preview::{Seen, firings};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

const RULE: RuleId = RuleId(Uuid::from_u128(1));

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn subject(n: usize) -> Subject {
    Subject { kind: SubjectKind::Connection, id: n.to_string(), name: String::new() }
}

fn of(timer: Timer, subject: &Subject) -> Look<'_> {
    Look { rule: RULE, timer, subject, summary: "", covered_since: None }
}

/// What a database keeps: alerts that are not over, and those that are.
#[derive(Default)]
struct Stored {
    live: BTreeMap<AlertId, Kept>,
    over: Vec<(String, DateTime<Utc>, Option<DateTime<Utc>>)>,
    told: usize,
}

impl Stored {
    fn write(&mut self, write: Write) {
        for id in &write.ended {
            let ended = self.live.remove(id).expect("only what is stored is deleted");
            assert_eq!(ended.course.fired_at, None, "only what never fired is deleted");
        }
        for turned in write.turned {
            self.told += usize::from(turned.tell);
            let kept = self.live.get_mut(&turned.id).expect("only what is stored is changed");
            (kept.course, kept.version) = (turned.course, turned.version);
            if turned.resolved_at.is_some() {
                let kept = self.live.remove(&turned.id).unwrap();
                self.over.push((kept.subject.id, kept.course.fired_at.unwrap(), turned.resolved_at));
            }
        }
        for new in write.started {
            self.told += usize::from(new.tell);
            if new.resolved_at.is_some() {
                self.over.push((new.subject.id, new.course.fired_at.unwrap(), new.resolved_at));
                continue;
            }
            let double = self.live.values().any(|other| other.subject == new.subject);
            assert!(!double, "two alerts about one subject");
            let (rule, subject, course) = (new.rule, new.subject, new.course);
            self.live.insert(new.id, Kept { id: new.id, rule, subject, summary: new.summary, course, version: 1 });
        }
    }

    fn firings(&self) -> Vec<(String, DateTime<Utc>, Option<DateTime<Utc>>)> {
        let firing = self.live.values().filter_map(|kept| Some((kept.subject.id.clone(), kept.course.fired_at?, None)));
        let mut all: Vec<_> = self.over.iter().cloned().chain(firing).collect();
        all.sort();
        all
    }
}

proptest! {
    #[test]
    fn in_batches_or_at_once_the_same_fires(
        events in prop::collection::vec((0i64..50, 0usize..3, any::<bool>(), 0u8..4), 0..60),
        patience in 0i64..60,
        hold in 0i64..60,
    ) {
        let timer = Timer::new(patience, hold);
        let (mut stored, mut batch, mut second) = (Stored::default(), Vec::new(), 0);
        let mut seen: Vec<Vec<Seen>> = vec![Vec::new(); 3];
        let look = |stored: &mut Stored, batch: &mut Vec<(i64, usize, bool)>, now: i64| {
            let mut ledger = Ledger::new(stored.live.values().cloned().collect());
            for (second, n, holds) in batch.drain(..) {
                ledger.see(of(timer, &subject(n)), at(second), holds);
            }
            for n in 0..3 {
                ledger.tick(of(timer, &subject(n)), at(now));
            }
            stored.write(ledger.finish(|_| timer));
        };
        for (gap, n, holds, when) in events {
            second += gap;
            seen[n].push(Seen::new(at(second), holds));
            batch.push((second, n, holds));
            if when == 0 {
                look(&mut stored, &mut batch, second);
            }
        }
        let until = second + 200;
        look(&mut stored, &mut batch, until);
        let mut at_once: Vec<_> = seen
            .iter()
            .enumerate()
            .flat_map(|(n, seen)| {
                firings(seen, timer, at(until)).into_iter().map(move |past| (n.to_string(), past.from, past.to))
            })
            .collect();
        at_once.sort();
        prop_assert_eq!(stored.firings(), at_once.clone());
        let over = at_once.iter().filter(|(_, _, to)| to.is_some()).count();
        prop_assert!(stored.told <= at_once.len() + over, "each is told when it fires and when it is over, at most");
        prop_assert!(stored.told >= at_once.len(), "and at least once");
    }
}

#[test]
fn what_an_outage_stands_for_is_marked_when_it_fires() {
    let (one, timer) = (subject(1), Timer::new(60, 0));
    for (covered_since, covered) in [(None, false), (Some(at(-10)), true), (Some(at(10)), false)] {
        let look = Look { rule: RULE, timer, subject: &one, summary: "Offline", covered_since };
        let mut ledger = Ledger::new(Vec::new());
        ledger.see(look, at(0), true);
        ledger.tick(look, at(60));
        let write = ledger.finish(|_| timer);
        assert_eq!((write.started[0].covered, write.started[0].tell), (covered, true));
    }
}

#[test]
fn what_is_written_of_an_alert_is_what_changed() {
    let (one, timer) = (subject(1), Timer::new(0, 0));
    let course = Course { since: at(0), fired_at: Some(at(0)), well_since: None };
    let kept = |summary: &str| {
        let (id, rule, subject, summary) = (AlertId(Uuid::nil()), RULE, one.clone(), summary.to_owned());
        Ledger::new(vec![Kept { id, rule, subject, summary, course, version: 3 }])
    };
    let look = Look { summary: "Offline", ..of(timer, &one) };
    let mut same = kept("Offline");
    same.see(look, at(10), true);
    assert_eq!((same.looks, same.finish(|_| timer)), (1, Write::default()));
    let mut other = kept("Failing");
    other.see(look, at(10), true);
    other.see(Look { summary: "Late", ..look }, at(11), true);
    let write = other.finish(|_| timer);
    assert_eq!((write.turned[0].summary.as_str(), write.turned[0].version, write.turned[0].tell), ("Late", 4, false));
    let mut ended = kept("Offline");
    ended.end(RULE, &one, at(-5));
    assert_eq!(ended.finish(|_| timer).turned[0].resolved_at, Some(at(0)), "not before it began");
}

#[test]
fn the_rules_of_a_ledger_are_those_with_alerts() {
    let mut ledger = Ledger::new(Vec::new());
    let timer = Timer::new(0, 0);
    let of_rule = |n: u128| RuleId(Uuid::from_u128(n));
    for (rule, n) in [(3, 1), (2, 1), (3, 2)] {
        let subject = subject(n);
        ledger.see(Look { rule: of_rule(rule), ..of(timer, &subject) }, at(0), true);
    }
    assert_eq!(ledger.rules(), [of_rule(2), of_rule(3)]);
    assert_eq!((ledger.subjects(of_rule(3)).len(), ledger.subjects(of_rule(2))), (2, vec![subject(1)]));
}

#[test]
fn ten_thousand_connections_pass_five_hundred_rules() {
    use crate::alert::{Compiled, Facts, Of};
    use model::{ConnectionId, CustomerId, Environment, Health, Scope, SourceId, When, WhenKind};
    let facts: Vec<Facts> = (0..10_000u128)
        .map(|n| Facts {
            id: ConnectionId(Uuid::from_u128(n)),
            name: String::new(),
            of: Of {
                customer: CustomerId(Uuid::from_u128(n / 3)),
                tags: vec![format!("tag{}", n % 7)],
                tier: None,
                platform: format!("platform{}", n % 11),
                source: SourceId(Uuid::nil()),
                environment: Environment::Production,
                owners: Vec::new(),
            },
            health: Some(Health::ALL[usize::try_from(n % 9).unwrap()]),
            since: at(0),
            cause: None,
            detail: None,
            blind: false,
            covered_since: None,
        })
        .collect();
    let rule = |n: u128| {
        let when = When {
            health: vec![Health::ALL[usize::try_from(n % 9).unwrap()]],
            ..When::new(WhenKind::ConnectionHealth)
        };
        let scope = Scope { platforms: vec![format!("platform{}", n % 11)], ..Scope::default() };
        Compiled::new(RuleId(Uuid::from_u128(n)), 1, when, scope, Timer::new(0, 0))
    };
    let holding: usize = (0..500).map(|n| crate::alert::evaluate::holding(&rule(n), facts.iter()).count()).sum();
    assert!((40_000..60_000).contains(&holding), "{holding}");
}
