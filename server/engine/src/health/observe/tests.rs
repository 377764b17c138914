//! Lateness as evidence makes it, second by second: what a sweep does with a state, without a database.

use super::super::{Dimension, Facts, Flow, FlowFact, Known};
use super::*;
use model::{Authorization, DataFlow, SourceId};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// A cadence of ten minutes: with the last good sync at 0 the deadline is at 1,500.
fn policy(proof_allowance: i64) -> Policy {
    Policy {
        cadence_default: Some(600),
        late_factor: 2.0,
        late_grace: TimeDelta::seconds(300),
        proof_allowance: TimeDelta::seconds(proof_allowance),
        hearing: None,
    }
}

/// A healthy connection, proved and synced at 0.
fn healthy() -> State {
    let poll = Eye::Poll;
    State {
        id: ConnectionId(Uuid::nil()),
        source_id: SourceId(Uuid::nil()),
        key: "key".to_owned(),
        name: "name".to_owned(),
        email: None,
        customer_id: CustomerId(Uuid::nil()),
        customer_name: "customer".to_owned(),
        platform_slug: "sap".to_owned(),
        platform_name: "SAP".to_owned(),
        tags: Vec::new(),
        raw_status: None,
        upstream: Value::Null,
        upstream_error: None,
        known: Known {
            authorization: Dimension { value: Authorization::Authorized, at: at(0), eye: poll, cause: None },
            flow: Dimension { value: Flow::Good, at: at(0), eye: poll, cause: None },
            last_good_sync_at: Some(at(0)),
            ..Known::nothing(at(0))
        },
        cadence_set: None,
        proof: Some((at(0), poll)),
        recorded_at: Some(at(0)),
        authorization: Authorization::Authorized,
        data_flow: DataFlow::Fresh,
        health: Health::Healthy,
        cause: None,
        cause_detail: None,
        since: at(0),
        flips: Vec::new(),
        judge_due_at: None,
        check_due_at: None,
        check_reason: None,
        removed_at: None,
        absent_since: None,
        version: 1,
    }
}

fn seen(sighting: Sighting, allowance: i64) -> Sighted {
    Sighted {
        connection: ConnectionId(Uuid::nil()),
        received_at: sighting.at,
        sighting,
        skew: TimeDelta::zero(),
        policy: policy(allowance),
        raw_status: None,
        description: None,
        upstream_error: None,
        event: None,
    }
}

/// A poll that finds it active, last synced at `good`.
fn poll(second: i64, good: i64) -> Sighting {
    let facts = Facts {
        authorization: Some((Authorization::Authorized, None)),
        flow: Some((FlowFact::Is(Flow::Good), None)),
        last_good_sync_at: Some(at(good)),
        ..Facts::default()
    };
    Sighting { eye: Eye::Poll, at: at(second), own_at: None, facts }
}

/// A webhook that says that the system answers, and nothing of a sync.
fn answers(second: i64) -> Sighting {
    let facts = Facts { flow: Some((FlowFact::Reachable, None)), ..Facts::default() };
    Sighting { eye: Eye::Webhook, at: at(second), own_at: Some(at(second)), facts }
}

/// Lives through so many seconds. What a poll only confirms renews the proof and nothing else, as the sweep has it; the workers
/// of lateness and of fading look every second. Answers when the health changed, and to what.
fn live(allowance: i64, seconds: i64, eye: impl Fn(i64) -> Option<Sighting>) -> Vec<(i64, Health)> {
    let (mut state, mut trial, mut changes) = (healthy(), Trial::default(), Vec::new());
    for second in 1..=seconds {
        let (now, was) = (at(second), state.health);
        if let Some(sighting) = eye(second) {
            let sighted = seen(sighting, allowance);
            if sighted.sighting.eye != Eye::Poll || tells_something(&state, &sighted, now) {
                apply(&mut state, &sighted, now, &mut trial);
            } else {
                state.proof = Some((sighted.sighting.at, Eye::Poll));
            }
        }
        let faded = state.proof.is_none_or(|(proof, _)| now - proof > TimeDelta::seconds(allowance));
        if faded || state.judge_due_at.is_some_and(|due| due <= now) {
            rejudge(&mut state, &policy(allowance), now, None, &mut trial);
        }
        if state.health != was {
            changes.push((second, state.health));
        }
    }
    changes
}

#[test]
fn late_begins_with_the_first_round_after_the_deadline() {
    let every = |seconds: i64| move |second: i64| (second % seconds == 0).then(|| poll(second, 0));
    assert_eq!(live(900, 3_000, every(5)), [(1_500, Health::Late)]);
    assert_eq!(live(900, 3_000, every(7)), [(1_505, Health::Late)]);
    assert_eq!(live(86_400, 4_000, every(3_600)), [(3_600, Health::Late)], "rounds are rarer than syncs");
    assert_eq!(
        live(900, 4_000, every(3_600)),
        [(901, Health::Unknown), (3_600, Health::Late)],
        "and rarer than the proof may be old"
    );
    // each round finds a sync that was four minutes old
    let synced = |second: i64| (second % 3_600 == 0).then(|| poll(second, second - 240));
    let kept = live(86_400, 20_000, synced);
    assert!(kept.is_empty(), "nobody looked at the deadlines in between, and they were kept: {kept:?}");
}

#[test]
fn an_answer_that_was_asked_before_the_deadline_does_not_count() {
    // sent at 1,499; it reaches us a minute later
    let (mut state, mut trial) = (healthy(), Trial::default());
    assert!(!tells_something(&state, &seen(poll(1_499, 0), 7_200), at(1_560)), "it only renews the proof");
    apply(&mut state, &seen(poll(1_499, 0), 7_200), at(1_560), &mut trial);
    assert_eq!(state.health, Health::Healthy);
    assert!(tells_something(&state, &seen(poll(1_500, 0), 7_200), at(1_560)), "a look after the deadline is news");
    apply(&mut state, &seen(poll(1_500, 0), 7_200), at(1_560), &mut trial);
    assert_eq!((state.health, state.judge_due_at), (Health::Late, None));
    assert_eq!(trial.transitions.len(), 1);
    assert_eq!(trial.transitions[0].eye, Some(Eye::Poll), "and it is the basis of the transition");
}

#[test]
fn an_outage_makes_nobody_late_and_its_end_tells() {
    // nobody can look from 1,000 on; the proof may be two hours old
    let round = |second: i64| second % 60 == 0 && !(1_000..12_000).contains(&second);
    let stopped = live(7_200, 13_000, |second| round(second).then(|| poll(second, 0)));
    assert_eq!(stopped, [(8_161, Health::Unknown), (12_000, Health::Late)]);
    let synced = live(7_200, 13_000, |second| round(second).then(|| poll(second, (second - 240).max(0))));
    assert_eq!(synced, [(8_161, Health::Unknown), (12_000, Health::Healthy)]);
    let never_faded = live(86_400, 13_000, |second| round(second).then(|| poll(second, (second - 240).max(0))));
    assert!(never_faded.is_empty(), "well before and well after: {never_faded:?}");
}

#[test]
fn silence_of_webhooks_is_no_lateness_but_a_webhook_without_a_sync_is() {
    assert_eq!(live(7_200, 8_000, |_| None), [(7_201, Health::Unknown)]);
    let before = live(7_200, 8_000, |second| (second == 1_499).then(|| answers(second)));
    assert!(before.is_empty(), "it was heard before the deadline: {before:?}");
    let after = live(7_200, 9_000, |second| (second == 1_600).then(|| answers(second)));
    assert_eq!(after, [(1_600, Health::Late), (8_801, Health::Unknown)]);
}

/// A webhook about its data, with a time of its own or not.
fn data(second: i64, own: bool) -> Sighting {
    let facts = Facts { of_data: true, ..Facts::default() };
    Sighting { eye: Eye::Webhook, at: at(second), own_at: own.then(|| at(second)), facts }
}

#[test]
fn data_proves_what_it_feeds_and_says_nothing_of_what_syncs_feed() {
    let lives = |own: bool, cadence_set: Option<i64>| {
        let (mut state, mut trial) = (healthy(), Trial::default());
        state.cadence_set = cadence_set;
        for minute in 1..=600 {
            apply(&mut state, &seen(data(minute * 60, own), 900), at(minute * 60), &mut trial);
        }
        assert_eq!(state.check_due_at, None, "nothing has to be looked into");
        assert!(trial.evidence.len() <= 11, "one is like the other: {}", trial.evidence.len());
        assert_eq!(state.known.fed_at(), Some(at(36_000)));
        state.proof
    };
    assert_eq!(lives(true, None), Some((at(36_000), Eye::Webhook)));
    assert_eq!(lives(false, None), Some((at(0), Eye::Poll)), "it may have been long on its way");
    assert_eq!(lives(true, Some(600)), Some((at(0), Eye::Poll)), "syncs feed it, and nobody has seen one");
}
