use super::super::{Dimension, Flow, Rhythm, judge};
use super::*;
use model::{Authorization, Cause, DataFlow, Eye, Health};
use proptest::prelude::*;

const HOUR: i64 = 3_600;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn policy(hearing: Option<(i64, i64)>) -> Policy {
    Policy {
        cadence_default: None,
        late_factor: 2.0,
        late_grace: TimeDelta::seconds(300),
        proof_allowance: TimeDelta::hours(1),
        hearing: hearing.map(|(since, newest)| Hearing { since: at(since), at: at(newest) }),
    }
}

/// In good order, with a webhook every hour for ten days until 0: about data, or not.
fn hourly(of_data: bool, last_good: Option<i64>) -> Known {
    let good = |value| Dimension { value, at: at(-900 * HOUR), eye: Eye::Poll, cause: None };
    let mut known = Known {
        authorization: Dimension { value: Authorization::Authorized, ..dimension() },
        flow: good(Flow::Good),
        last_good_sync_at: last_good.map(at),
        ..Known::nothing(at(-900 * HOUR))
    };
    for hour in -240..=0 {
        known.pulse.note(at(hour * HOUR), of_data, true);
    }
    if of_data {
        known.pulse.brought(at(0));
    }
    known
}

fn dimension() -> Dimension<Authorization> {
    Dimension { value: Authorization::Unknown, at: at(-900 * HOUR), eye: Eye::Poll, cause: None }
}

/// What is shown of it, looked at this very moment.
fn shown(known: &Known, hearing: Option<(i64, i64)>, now: i64) -> (DataFlow, Option<Cause>) {
    let judged = judge(known, None, Some(at(now)), &policy(hearing), at(now));
    assert_eq!(judged.health == Health::Healthy, judged.cause.is_none());
    (judged.data_flow, judged.cause)
}

const EVER: i64 = -900 * HOUR;

#[test]
fn what_is_fed_in_real_time_is_judged_by_its_webhooks() {
    let known = hourly(true, Some(-800 * HOUR));
    let Feed::RealTime(pace) = policy(None).feed(&known, None, at(0)) else { panic!("it is fed by webhooks") };
    assert_eq!((pace.seconds, pace.patience()), (HOUR, TimeDelta::hours(5)));
    assert_eq!(shown(&known, Some((EVER, 4 * HOUR)), 4 * HOUR), (DataFlow::Fresh, None), "syncs do not matter");
    assert_eq!(shown(&known, Some((EVER, 5 * HOUR)), 5 * HOUR), (DataFlow::Late, Some(Cause::Silent)));
    let unproved = (DataFlow::Unknown, Some(Cause::NoProof));
    assert_eq!(shown(&known, Some((EVER, 4 * HOUR)), 6 * HOUR), unproved, "the whole source is silent");
    assert_eq!(shown(&known, None, 6 * HOUR), unproved, "nothing is known of the source");
    assert_eq!(shown(&known, Some((4 * HOUR, 8 * HOUR)), 8 * HOUR), unproved, "the source came back four hours ago");
    assert_eq!(shown(&known, Some((4 * HOUR, 9 * HOUR)), 9 * HOUR), (DataFlow::Late, Some(Cause::Silent)));
}

#[test]
fn whoever_says_a_cadence_says_that_syncs_feed_it_and_so_do_syncs_as_frequent_as_webhooks() {
    let known = hourly(true, None);
    let fed_by = |known: &Known, set| policy(None).feed(known, set, at(0));
    assert!(matches!(fed_by(&known, None), Feed::RealTime(_)));
    assert!(matches!(fed_by(&known, Some(900)), Feed::Synced(Some((900, CadenceFrom::Set)))));
    let planned = Known { cadence_upstream: Some(600), ..known.clone() };
    assert!(matches!(fed_by(&planned, None), Feed::Synced(Some((600, CadenceFrom::Upstream)))));
    let synced = |seconds: i32| Known { rhythm: Rhythm { intervals: vec![seconds; 5], syncs: 5 }, ..known.clone() };
    assert!(matches!(fed_by(&synced(3 * 3_600), None), Feed::Synced(_)));
    assert!(matches!(fed_by(&synced(4 * 3_600), None), Feed::RealTime(_)), "syncs are rare");
    assert!(matches!(fed_by(&hourly(false, None), None), Feed::Synced(None)), "they are not about data");
}

#[test]
fn what_syncs_without_its_usual_webhooks_is_silent_and_only_then() {
    let silent = (DataFlow::Late, Some(Cause::Silent));
    let fresh = (DataFlow::Fresh, None);
    let all = Some((EVER, 6 * HOUR));
    assert_eq!(shown(&hourly(false, Some(6 * HOUR)), all, 6 * HOUR), silent);
    assert_eq!(shown(&hourly(false, Some(4 * HOUR)), all, 6 * HOUR), fresh, "no sync since: nothing to tell");
    assert_eq!(
        shown(&hourly(false, Some(6 * HOUR)), Some((EVER, 4 * HOUR)), 6 * HOUR),
        fresh,
        "nor has any source told"
    );
    let judged = judge(&hourly(false, Some(6 * HOUR)), None, Some(at(6 * HOUR)), &policy(all), at(6 * HOUR));
    let said = judged.detail.unwrap();
    assert!(said.contains("about one every 60 min, learned from 240, and none since"), "{said}");
    let later = judge(&hourly(false, Some(7 * HOUR)), None, Some(at(7 * HOUR)), &policy(all), at(7 * HOUR));
    assert_eq!(later.detail.as_deref(), Some(said.as_str()), "no new version with every look");

    let mut back = hourly(false, Some(6 * HOUR));
    back.pulse.settle(false, true, at(3 * HOUR));
    assert_eq!(shown(&back, all, 6 * HOUR), fresh, "it was in trouble until three hours ago");
    let late = judge(
        &hourly(false, Some(6 * HOUR)),
        Some(600),
        Some(at(9 * HOUR)),
        &policy(Some((EVER, 9 * HOUR))),
        at(9 * HOUR),
    );
    assert_eq!(late.cause, Some(Cause::Late), "that no sync comes goes before");
}

#[test]
fn only_who_is_in_good_order_can_be_silent() {
    for flow in Flow::ALL {
        let mut known = hourly(true, Some(50 * HOUR));
        known.flow.value = flow;
        let (_, cause) = shown(&known, Some((EVER, 99 * HOUR)), 99 * HOUR);
        assert_eq!(cause == Some(Cause::Silent), flow == Flow::Good, "{flow}");
    }
}

proptest! {
    /// The story of a source in hours: its other webhooks come unless it is silent, ours come unless they are lost, in any order and
    /// doubled. Whatever happens, a connection is silent only while others were heard, hour by hour, for longer than it needs, and
    /// is shown healthy only with a young webhook.
    #[test]
    fn nobody_is_blamed_for_what_all_suffer(
        away in (0i64..60, 0i64..60),
        own_stop in 0i64..90,
        troubled in prop::option::of((0i64..80, 1i64..30)),
        doubled in prop::collection::vec(0i64..90, 0..20),
        of_data: bool,
    ) {
        let source_is_silent = |hour: i64| (away.0..away.0 + away.1).contains(&hour);
        let in_trouble = |hour: i64| troubled.is_some_and(|(from, long)| (from..from + long).contains(&hour));
        let mut known = hourly(of_data, Some(0));
        let (mut since, mut heard, mut newest, mut well) = (EVER, 0, 0, EVER);
        for hour in 1..90 {
            let now = at(hour * HOUR);
            let (was, is) = (!in_trouble(hour - 1), !in_trouble(hour));
            known.flow.value = if is { Flow::Good } else { Flow::Offline };
            known.pulse.settle(was, is, now);
            if !was && is {
                well = hour * HOUR;
            }
            if !source_is_silent(hour) {
                if source_is_silent(hour - 1) && away.1 > 1 {
                    since = hour * HOUR;
                }
                heard = hour * HOUR;
                if hour < own_stop && is {
                    known.pulse.note(now, of_data, was);
                    if of_data {
                        known.pulse.brought(now);
                    }
                    newest = hour * HOUR;
                }
            }
            for old in doubled.iter().filter(|old| **old < newest / HOUR) {
                known.pulse.note(at(old * HOUR), of_data, is);
            }
            if is {
                known.last_good_sync_at = Some(now).filter(|_| !of_data).or(Some(at(0)));
            }
            prop_assert_eq!(known.pulse.heard_at, Some(at(newest)));
            let (flow, cause) = shown(&known, Some((since, heard)), hour * HOUR);
            let patience = known.pulse.pace(now).unwrap().patience().num_seconds();
            let from = newest.max(since).max(well);
            let expected = is && heard - from >= patience;
            prop_assert_eq!(cause == Some(Cause::Silent), expected, "at {}: {:?} {:?}", hour, flow, cause);
            if of_data && flow == DataFlow::Fresh {
                prop_assert!(hour * HOUR - newest < patience, "at {hour}: healthy without a webhook");
            }
        }
    }
}
