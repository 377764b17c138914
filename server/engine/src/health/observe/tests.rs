//! Lateness as evidence makes it, second by second: what a sweep does with a state, without a database.

use super::super::{Dimension, Facts, Flow, FlowFact, Known};
use super::differs::upstream_differs;
use super::*;
use model::{Authorization, Cause, DataFlow, SourceId};
use serde_json::Value;

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

fn described(customer: &str, upstream: Value) -> Arc<Described> {
    Arc::new(Described { customer_name: customer.to_owned(), platform_name: "SAP".to_owned(), upstream })
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
        platform_slug: "sap".to_owned(),
        tags: Vec::new(),
        raw_status: None,
        described: Some(described("customer", Value::Null)),
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

fn sighted(eye: Eye, second: i64, facts: Facts) -> Sighted {
    seen(Sighting { eye, at: at(second), own_at: (eye == Eye::Webhook).then(|| at(second)), facts }, 7_200)
}

fn flow(flow: Flow) -> Facts {
    Facts { flow: Some((FlowFact::Is(flow), None)), ..Facts::default() }
}

const REFUSED: Authorization = Authorization::ReauthorizationRequired;

#[test]
fn what_is_written_shown_and_announced_is_the_table() {
    type Edit = fn(&mut State);
    let table: [(&str, Edit, [bool; 5]); 19] = [
        // whether: the row, the proof's row, the news of a sync; whether it is shown, and if so quietly
        ("nothing", |_| {}, [false, false, false, false, true]),
        ("proof", |s| s.proof = Some((at(9), Eye::Check)), [false, true, false, false, true]),
        ("record", |s| s.recorded_at = Some(at(9)), [false, true, false, false, true]),
        ("confirmed", |s| s.known.flow.at = at(9), [false, false, false, false, true]),
        ("by another eye", |s| s.known.flow.eye = Eye::Check, [false, false, false, false, true]),
        ("signed in", |s| s.known.authorization.eye = Eye::Check, [false, false, false, false, true]),
        ("event", |s| s.known.event_at = Some(at(9)), [false, true, true, false, true]),
        ("rhythm", |s| s.known.rhythm.syncs = 9, [false, true, true, false, true]),
        ("good sync", |s| s.known.last_good_sync_at = Some(at(9)), [false, true, true, true, true]),
        ("due", |s| s.judge_due_at = Some(at(9)), [true, false, false, false, true]),
        ("flips", |s| s.flips = vec![at(9)], [true, false, false, false, true]),
        ("why", |s| s.check_reason = Some("conflict".to_owned()), [true, false, false, false, true]),
        ("to be checked", |s| s.check_due_at = Some(at(9)), [true, false, false, true, true]),
        ("status", |s| s.raw_status = Some("idle".to_owned()), [true, false, false, true, true]),
        ("name", |s| s.name = "other".to_owned(), [true, false, false, true, false]),
        (
            "upstream",
            |s| s.described = Some(described("customer", serde_json::json!({"a": 1}))),
            [true, false, false, true, true],
        ),
        ("customer", |s| s.described = Some(described("other", Value::Null)), [true, false, false, true, false]),
        ("undescribed", |s| s.described = None, [false, false, false, false, true]),
        ("health", |s| s.health = Health::Late, [true, false, false, true, false]),
    ];
    for (what, edit, expected) in table {
        let (before, mut after) = (healthy(), healthy());
        edit(&mut after);
        let found = [
            differs(&before, &after),
            proof_differs(&before, &after),
            times_differ(&before, &after),
            shown_differs(&before, &after),
            only_times_differ(&before, &after),
        ];
        assert_eq!(found, expected, "{what}");
    }
    let due = |second| State { check_due_at: Some(at(second)), ..healthy() };
    assert!(
        differs(&due(5), &due(9)) && !shown_differs(&due(5), &due(9)),
        "that it is to be checked is shown, not when"
    );
    let synced = |second: i64| State {
        described: Some(described("customer", serde_json::json!({"updated_at": second}))),
        ..healthy()
    };
    assert!(!differs(&synced(5), &synced(9)));
    let new = State { version: 0, ..healthy() };
    assert!(differs(&new, &new) && !only_times_differ(&new, &new), "what is new is written and told");
}

#[test]
fn what_moves_with_every_sync_is_no_other_description() {
    let told = serde_json::json!({"name": "a", "updated_at": 1, "status": "active", "last_successful_sync_at": 1});
    let with = |name: &str, value: Value| {
        let mut other = told.clone();
        other[name] = value;
        upstream_differs(&told, &other)
    };
    assert!(!with("updated_at", 2.into()) && !with("status", "idle".into()) && !with("name", "a".into()));
    assert!(with("name", "b".into()) && with("new", Value::Null));
    assert!(upstream_differs(&Value::Null, &told) && !upstream_differs(&Value::Null, &Value::Null));
}

#[test]
fn the_first_sight_comes_from_nothing_and_a_turn_from_what_was() {
    let (mut state, mut trial) = (State { version: 0, proof: None, recorded_at: None, ..healthy() }, Trial::default());
    apply(&mut state, &seen(poll(60, 0), 7_200), at(60), &mut trial);
    assert_eq!((trial.evidence.len(), trial.transitions.len()), (1, 1));
    let first = &trial.transitions[0];
    assert_eq!((first.from, first.to, first.lasted_seconds), (None, Some(Health::Healthy), None));
    assert!(state.flips.is_empty());
    apply(&mut state, &sighted(Eye::Webhook, 100, flow(Flow::Offline)), at(101), &mut trial);
    let next = &trial.transitions[1];
    assert_eq!((next.from, next.to, next.lasted_seconds), (Some(Health::Healthy), Some(Health::Offline), Some(41)));
    assert_eq!((next.evidence_id, state.since, &state.flips), (Some(trial.evidence[1].id), at(101), &vec![at(101)]));
    assert_eq!(
        (state.check_due_at, state.check_reason.as_deref(), trial.checks),
        (Some(at(101)), Some("changed"), true)
    );
}

#[test]
fn only_who_asked_brings_back_what_was_gone() {
    let gone = || State {
        removed_at: Some(at(1)),
        absent_since: Some(at(1)),
        raw_status: Some("idle".to_owned()),
        upstream_error: Some("old".to_owned()),
        ..healthy()
    };
    let after = |sighted: &Sighted| {
        let mut state = gone();
        apply(&mut state, sighted, at(100), &mut Trial::default());
        state
    };
    let heard =
        after(&Sighted { raw_status: Some("active".to_owned()), ..sighted(Eye::Webhook, 99, flow(Flow::Good)) });
    assert_eq!((heard.removed_at, heard.absent_since), (Some(at(1)), Some(at(1))));
    assert_eq!((heard.raw_status.as_deref(), heard.upstream_error), (Some("idle"), None));
    let polled = after(&Sighted { upstream_error: Some(Some("new".to_owned())), ..seen(poll(99, 0), 7_200) });
    assert_eq!((polled.removed_at, polled.absent_since), (None, None));
    assert_eq!((polled.raw_status.as_deref(), polled.upstream_error.as_deref()), (Some("idle"), Some("new")));
}

#[test]
fn evidence_is_kept_when_it_says_something_and_once_an_hour() {
    let kept_of = |mut state: State, sighted: &Sighted, now: i64| {
        let mut trial = Trial::default();
        apply(&mut state, sighted, at(now), &mut trial);
        trial.evidence.pop()
    };
    let kept = |sighted: &Sighted, now| kept_of(healthy(), sighted, now);
    assert!(kept(&seen(poll(1_000, 0), 7_200), 1_000).is_none(), "it only confirms");
    let confirms = seen(poll(1_000, 0), 7_200);
    assert!(kept_of(State { proof: None, ..healthy() }, &confirms, 1_000).is_none(), "it is known, if not proved");
    assert!(kept_of(State { version: 0, ..healthy() }, &confirms, 1_000).is_none(), "it was seen in the same batch");
    assert!(kept_of(State { version: 0, proof: None, ..healthy() }, &confirms, 1_000).is_some(), "the first sight");
    assert!(kept(&seen(poll(3_599, 3_000), 7_200), 3_599).is_some_and(|one| one.facts["sync"]["ended_at"].is_string()));
    assert!(kept(&seen(poll(3_600, 0), 86_400), 3_600).is_some(), "an hour has passed");
    assert!(kept(&sighted(Eye::Webhook, 1_000, flow(Flow::Good)), 1_000).is_some(), "it was sent to us");
    assert!(kept(&sighted(Eye::Check, 1_000, flow(Flow::Good)), 1_000).is_some(), "somebody asked");
}

#[test]
fn an_event_that_does_not_count_proves_nothing() {
    let proof = |sighted: &Sighted| {
        let mut state = State { proof: Some((at(100), Eye::Check)), ..healthy() };
        state.known.flow.at = at(100);
        apply(&mut state, sighted, at(200), &mut Trial::default());
        state.proof
    };
    assert_eq!(proof(&sighted(Eye::Webhook, 50, flow(Flow::Offline))), Some((at(100), Eye::Check)));
    assert_eq!(proof(&sighted(Eye::Webhook, 150, Facts::default())), Some((at(100), Eye::Check)), "it says nothing");
    assert_eq!(proof(&sighted(Eye::Webhook, 150, flow(Flow::Good))), Some((at(150), Eye::Webhook)));
    assert_eq!(proof(&sighted(Eye::Poll, 50, flow(Flow::Good))), Some((at(100), Eye::Check)), "it was asked before");
}

#[test]
fn rules_are_told_of_turns_and_of_what_else_they_ask_for() {
    let touched = |edit: fn(&mut State), transitions: &[NewTransition]| {
        let mut after = healthy();
        edit(&mut after);
        touch(&healthy(), &after, transitions, at(9)).into_iter().map(|one| (one.at, one.health)).collect::<Vec<_>>()
    };
    assert_eq!(touched(|_| {}, &[]), []);
    assert_eq!(touched(|state| state.platform_slug = "maximo".to_owned(), &[]), [(at(9), Some(Health::Healthy))]);
    assert_eq!(touched(|state| state.removed_at = Some(at(9)), &[]), [(at(9), None)]);
    let mut trial = Trial::default();
    apply(&mut healthy(), &sighted(Eye::Poll, 5, flow(Flow::Offline)), at(5), &mut trial);
    let both = |state: &mut State| state.platform_slug = "maximo".to_owned();
    assert_eq!(touched(both, &trial.transitions), [(at(5), Some(Health::Offline))], "the turn tells it all");
    trial.transitions[0].connection_id = ConnectionId(Uuid::max());
    assert_eq!(touched(|_| {}, &trial.transitions), [], "it was another's");
}

#[test]
fn a_turn_is_what_issues_see() {
    let shows = |edit: fn(&mut State)| {
        let mut after = healthy();
        edit(&mut after);
        turned(&healthy(), &after)
    };
    assert!(!shows(|_| {}) && !shows(|state| state.known.flow.at = at(9)));
    assert!(shows(|state| state.cause = Some(Cause::Late)) && shows(|state| state.removed_at = Some(at(9))));
    assert!(shows(|state| state.cause_detail = Some("timeout".to_owned())));
    let (new, gone) = (State { version: 0, ..healthy() }, State { removed_at: Some(at(9)), ..healthy() });
    assert!(turned(&new, &new));
    let well = Some((Health::Healthy, None));
    assert_eq!((turn(&new, &healthy(), None).before, turn(&healthy(), &gone, None).before), (None, well));
    assert_eq!((turn(&healthy(), &gone, None).after, turn(&gone, &healthy(), None).after), (None, well));
}

#[test]
fn a_poll_expects_the_webhook_that_should_have_told_and_a_webhook_is_one_that_came() {
    use super::super::gap::{Came, Expected, GapKind as K};
    let told = |mut state: State, sighted: &Sighted| {
        let was = Was::of(&state);
        apply(&mut state, sighted, at(100), &mut Trial::default());
        was.told(&state, sighted).map(|told| match told {
            Told::Expected(Expected { kind, happened_at, .. }) => ("expected", kind, happened_at),
            Told::Came(Came { kind, at, .. }) => ("came", kind, at),
        })
    };
    let in_flow = |flow| {
        let mut state = healthy();
        state.known.flow.value = flow;
        state
    };
    let refused = || Facts { authorization: Some((REFUSED, None)), ..Facts::default() };
    let offline = || sighted(Eye::Poll, 60, flow(Flow::Offline));
    assert_eq!(told(healthy(), &seen(poll(60, 0), 7_200)), None, "nothing happened");
    assert_eq!(told(healthy(), &seen(poll(60, 30), 7_200)), Some(("expected", K::SyncCompleted, at(30))));
    assert_eq!(
        told(healthy(), &sighted(Eye::Check, 60, refused())),
        Some(("expected", K::ReauthorizationRequired, at(60)))
    );
    assert_eq!(told(healthy(), &offline()), Some(("expected", K::StatusChanged, at(60))));
    assert_eq!(told(in_flow(Flow::Offline), &seen(poll(60, 0), 7_200)), Some(("expected", K::StatusChanged, at(60))));
    assert_eq!(told(in_flow(Flow::Offline), &offline()), None, "it was offline before");
    assert_eq!(told(in_flow(Flow::Unknown), &offline()), None, "nobody knew what was before");
    assert_eq!(told(State { version: 0, ..healthy() }, &seen(poll(60, 30), 7_200)), None, "it was never seen before");
    let mut never = healthy();
    never.known.last_good_sync_at = None;
    assert_eq!(told(never, &seen(poll(60, 30), 7_200)), None, "its first sync may be older than our watch");
    assert_eq!(told(healthy(), &seen(answers(60), 7_200)), Some(("came", K::StatusChanged, at(60))));
    assert_eq!(
        told(healthy(), &sighted(Eye::Webhook, 60, flow(Flow::Offline))),
        Some(("came", K::StatusChanged, at(60)))
    );
    assert_eq!(
        told(healthy(), &sighted(Eye::Webhook, 60, refused())),
        Some(("came", K::ReauthorizationRequired, at(60)))
    );
    let synced = Facts { last_good_sync_at: Some(at(50)), ..flow(Flow::Good) };
    assert_eq!(told(healthy(), &sighted(Eye::Webhook, 60, synced)), Some(("came", K::SyncCompleted, at(50))));
    assert_eq!(told(healthy(), &sighted(Eye::Webhook, 60, flow(Flow::Failing))), None, "no poll can miss it");
}

#[test]
fn a_look_is_asked_for_at_once_and_no_earlier_wish_is_put_off() {
    let asked = |due: Option<i64>| {
        let wish = due.map(|_| "wish".to_owned());
        let mut state = State { check_due_at: due.map(at), check_reason: wish, ..healthy() };
        apply(&mut state, &sighted(Eye::Webhook, 99, flow(Flow::Offline)), at(100), &mut Trial::default());
        (state.check_due_at, state.check_reason.unwrap())
    };
    assert_eq!(asked(None), (Some(at(100)), "changed".to_owned()));
    assert_eq!(asked(Some(101)), (Some(at(100)), "changed".to_owned()));
    assert_eq!(asked(Some(100)), (Some(at(100)), "wish".to_owned()));
    assert_eq!(asked(Some(50)), (Some(at(50)), "wish".to_owned()));
}

#[test]
fn the_cadence_until_then_is_known_of_what_was_news() {
    let cadences = |good| {
        let mut trial = Trial::default();
        apply(&mut healthy(), &seen(poll(60, good), 7_200), at(60), &mut trial);
        trial.cadences.into_values().collect::<Vec<_>>()
    };
    assert_eq!((cadences(0), cadences(30)), (vec![], vec![Some(600)]));
}

#[test]
fn a_connection_is_found_by_all_that_it_is_called() {
    let state = State { tags: vec!["Gold".to_owned()], upstream_error: Some("REQ-7".to_owned()), ..healthy() };
    assert_eq!(state.search_text().as_deref(), Some("customer sap name key gold req-7"));
    assert_eq!(State { described: None, ..state }.search_text(), None, "what it is called is not known");
}
