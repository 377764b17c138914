//! The past as it is put together is what looking at it at the time would have said.

use super::super::condition::{many, waits};
use super::super::facts::{Holding, Kept};
use super::super::ledger::Ledger;
use super::super::machine::Timer;
use super::super::preview::{Past, firings};
use super::super::rule::Compiled;
use super::super::sweep::reconcile;
use super::*;
use crate::health::{Known, lull};
use model::{Health, RuleId, Scope, Subject, SubjectKind};
use proptest::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// The live path of one rule: each look reconciles a ledger with what holds, as the sweep does.
struct Live {
    rule: Compiled,
    kept: Vec<Kept>,
    fired: HashMap<Uuid, Past>,
}

impl Live {
    fn new(when: When, timer: Timer) -> Self {
        let mut rule = Compiled::new(RuleId(Uuid::nil()), 0, when, Scope::default(), timer);
        rule.settled = true;
        Self { rule, kept: Vec::new(), fired: HashMap::new() }
    }

    fn look(&mut self, holds: Option<(Option<DateTime<Utc>>, bool)>, now: DateTime<Utc>) {
        let subject = Subject { kind: SubjectKind::Connection, id: "1".to_owned(), name: "Acme".to_owned() };
        let holding: Vec<_> = holds
            .map(|(since, blind)| Holding { subject, summary: String::new(), since, blind, covered_since: None })
            .into_iter()
            .collect();
        let mut ledger = Ledger::new(std::mem::take(&mut self.kept));
        reconcile(&mut ledger, &self.rule, &holding, now);
        // what holds by the end of the look is kept as the database would
        let timer = self.rule.timer;
        for subject in ledger.subjects(self.rule.id) {
            ledger.renew(self.rule.id);
            let look = super::super::ledger::Look {
                rule: self.rule.id,
                timer,
                subject: &subject,
                summary: "",
                covered_since: None,
            };
            ledger.tick(look, now);
        }
        let write = ledger.finish(|_| timer);
        let started = write.started.into_iter().map(|one| (one.id, one.subject, one.course, one.resolved_at));
        let subject = || Subject { kind: SubjectKind::Connection, id: "1".to_owned(), name: "Acme".to_owned() };
        let turned = write.turned.into_iter().map(|one| (one.id, subject(), one.course, one.resolved_at));
        for (id, subject, course, resolved_at) in started.chain(turned).collect::<Vec<_>>() {
            if let Some(from) = course.fired_at {
                self.fired.insert(id.0, Past { from, well: None, to: resolved_at });
            }
            if resolved_at.is_none() {
                let (rule, summary) = (self.rule.id, String::new());
                self.kept.push(Kept { id, rule, subject, summary, course, version: 1 });
            }
        }
    }

    fn firings(&self) -> Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        let mut all: Vec<_> = self.fired.values().map(|past| (past.from, past.to)).collect();
        all.sort_unstable();
        all
    }
}

fn told(seen: &[Seen], timer: Timer, until: DateTime<Utc>) -> Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> {
    firings(seen, timer, until).into_iter().map(|past| (past.from, past.to)).collect()
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    /// A good sync, which ended so many seconds ago.
    Good(i64),
    /// Its health.
    Is(Health),
    /// Its source can be seen, or not.
    Blind(bool),
    /// Nothing; somebody looks.
    Look,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0i64..20_000).prop_map(Happens::Good),
        1 => Just(Happens::Is(Health::Healthy)),
        1 => Just(Happens::Is(Health::Late)),
        1 => Just(Happens::Is(Health::Paused)),
        1 => any::<bool>().prop_map(Happens::Blind),
        2 => Just(Happens::Look),
    ]
}

proptest! {
    #[test]
    fn the_preview_of_pauses_is_what_the_live_path_fired(
        story in prop::collection::vec((1i64..60_000, happens()), 1..40),
        threshold in prop_oneof![Just((None, Some(14_400))), Just((Some(2.0), None)), Just((Some(3.0), Some(20_000)))],
        kind in prop_oneof![Just(WhenKind::SyncLate), Just(WhenKind::Silence)],
        patience in 0i64..9_000,
        hold in 0i64..9_000,
    ) {
        let cadence = Some(7_200);
        let (cadences, seconds) = if kind == WhenKind::Silence { (None, Some(14_400)) } else { threshold };
        let when = When { cadences, seconds, ..When::new(kind) };
        let timer = Timer::new(patience, hold);
        let mut live = Live::new(when.clone(), timer);
        let (mut second, mut health, mut free_at, mut blind_since, mut seen_again) =
            (0, Health::Healthy, None::<DateTime<Utc>>, None::<DateTime<Utc>>, None::<DateTime<Utc>>);
        let mut known = Known { last_good_sync_at: Some(at(0)), ..Known::nothing(at(0)) };
        let (mut lulls, mut may, mut blind) = (Vec::new(), vec![(at(0), true)], Vec::<Span>::new());
        let look = |live: &mut Live, known: &Known, health, free: Option<DateTime<Utc>>, blind: bool, seen, now| {
            let over = match kind {
                WhenKind::SyncLate => late_since(&when, known.last_good_sync_at, cadence),
                _ => known.last_good_sync_at.and_then(|last| silent_since(&when, last)),
            };
            let holds = over.filter(|over| *over <= now && waits(kind, Some(health)));
            live.look(holds.map(|over| (Some(over.max(free.unwrap_or(over)).max(seen)), blind)), now);
        };
        for (wait, what) in story {
            second += wait;
            let now = at(second);
            let seen = seen_again.unwrap_or_default();
            look(&mut live, &known, health, free_at, blind_since.is_some(), seen, now);
            match what {
                Happens::Good(ago) => {
                    let next = known.last_good_sync_at.max(Some(at((second - ago).max(0))));
                    let after = Known { last_good_sync_at: next, ..known.clone() };
                    lulls.extend(lull::ended(&known, &after, cadence, now));
                    known = after;
                }
                Happens::Is(next) => {
                    if waits(kind, Some(next)) && !waits(kind, Some(health)) {
                        free_at = Some(now);
                    }
                    health = next;
                    may.push((now, waits(kind, Some(next))));
                }
                Happens::Blind(true) => {
                    blind_since = blind_since.or(Some(now));
                }
                Happens::Blind(false) => {
                    if let Some(from) = blind_since.take() {
                        blind.push((from, Some(now)));
                        seen_again = Some(now);
                    }
                }
                Happens::Look => {}
            }
            let seen = seen_again.unwrap_or_default();
            look(&mut live, &known, health, free_at, blind_since.is_some(), seen, now);
        }
        blind.extend(blind_since.map(|from| (from, None)));
        let own = if kind == WhenKind::SyncLate { lull::LullKind::Sync } else { lull::LullKind::Sign };
        let mut pauses: Vec<Pause> = lulls
            .iter()
            .filter(|lull| lull.kind == own)
            .filter_map(|lull| Some(Pause { since: lull.since?, to: Some(lull.ended_at), cadence: lull.cadence }))
            .collect();
        pauses.push(Pause { since: known.last_good_sync_at.unwrap(), to: None, cadence });
        let seen = gated(&too_long(&when, &pauses), &may, &blind, at(second));
        prop_assert_eq!(told(&seen, timer, at(second)), live.firings());
    }

    #[test]
    fn what_failed_is_counted_as_counting_at_every_second_does(
        failed in prop::collection::vec((0i64..300, prop::option::of(0i64..120), 1u64..3), 0..12),
        least in 1u32..5,
        window in prop::option::of(1i64..120),
        older in 1i64..100,
    ) {
        let when = When {
            at_least: Some(least),
            window_seconds: window,
            older_than_seconds: window.is_none().then_some(older),
            ..When::new(WhenKind::FailedWebhooks)
        };
        let failed: Vec<Failed> = failed
            .into_iter()
            .map(|(from, lasted, n)| {
                Failed { at: at(from), mended_at: lasted.map(|lasted| at(from + lasted)), n, passing: false }
            })
            .collect();
        let seen = failing(&when, &failed, &[], at(600));
        prop_assert!(seen.windows(2).all(|pair| pair[0].at < pair[1].at), "of one moment only what came of it");
        for second in 0..=600 {
            let now = at(second);
            let counts = |one: &&Failed| {
                let lasts = one.mended_at.is_none_or(|mended| now < mended);
                let within = match window {
                    Some(window) => one.at > now - TimeDelta::seconds(window) && one.at <= now,
                    None => one.at <= now - TimeDelta::seconds(older),
                };
                lasts && within
            };
            let n: u64 = failed.iter().filter(counts).map(|one| one.n).sum();
            let held = seen.iter().rev().find(|seen| seen.at <= now).is_some_and(|seen| seen.holds);
            prop_assert_eq!(held, fails(&when, n, n), "at {}: {}", second, n);
            prop_assert!(window.is_none() || held == many(&when, n, n));
        }
    }
}

#[test]
fn shares_are_of_what_came_in_the_hours_that_the_window_touches() {
    let when = When { percent: Some(50), window_seconds: Some(600), ..When::new(WhenKind::FailedWebhooks) };
    let hour = DateTime::from_timestamp(1_790_002_800, 0).unwrap();
    let failed = |minute: i64| Failed { at: hour + TimeDelta::minutes(minute), mended_at: None, n: 1, passing: false };
    let taken = [Taken { hour, first_at: hour, n: 3 }];
    let until = hour + TimeDelta::hours(3);
    let seen = failing(&when, &[failed(10), failed(12)], &taken, until);
    let holding: Vec<_> = seen.iter().filter(|seen| seen.holds).map(|seen| seen.at).collect();
    assert_eq!(holding, [hour + TimeDelta::minutes(12)], "two of three");
    assert!(failing(&when, &[failed(10)], &taken, until).iter().all(|seen| !seen.holds), "one of three");
}

#[test]
fn what_came_counts_until_no_window_touches_its_hour() {
    let when = When { percent: Some(50), window_seconds: Some(600), ..When::new(WhenKind::FailedWebhooks) };
    let hour = DateTime::from_timestamp(1_790_002_800, 0).unwrap();
    let holds = |minute: i64| {
        let failed = Failed { at: hour + TimeDelta::minutes(minute), mended_at: None, n: 1, passing: false };
        let seen = failing(&when, &[failed], &[Taken { hour, first_at: hour, n: 3 }], hour + TimeDelta::hours(3));
        seen.iter().any(|seen| seen.holds && seen.at == failed.at)
    };
    assert!(!holds(69), "one of three");
    assert!(holds(70), "one of itself: nothing else came");
}

#[test]
fn what_nobody_can_mend_does_not_wait_to_be_mended() {
    let when = When { older_than_seconds: Some(60), ..When::new(WhenKind::FailedWebhooks) };
    let failed = |passing| Failed { at: at(0), mended_at: None, n: 1, passing };
    assert_eq!(failing(&when, &[failed(true)], &[], at(600)), []);
    assert_eq!(failing(&when, &[failed(false)], &[], at(600)), [Seen::new(at(60), true)]);
}

#[test]
fn what_came_too_old_does_not_end_it() {
    let when = When { seconds: Some(100), ..When::new(WhenKind::SyncLate) };
    let pause = |since: i64, to: Option<i64>| Pause { since: at(since), to: to.map(at), cadence: None };
    // of a pause from 0 we heard at 500 that a sync had ended at 300: that too was too long ago
    let joined = too_long(&when, &[pause(0, Some(500)), pause(300, Some(700)), pause(650, None)]);
    assert_eq!(joined, [(at(100), Some(at(700))), (at(750), None)]);
}
