//! Whether evidence counts, and what it does to what is known. Pure.
//!
//! * A poll's time is when we sent the request; it decides everything that is not newer than that.
//! * An event's time is min(its own, our receipt), and orders it among the events of its source. A stamp from the future
//!   counts as our receipt, or it would outrank everything that comes after it.
//! * An event within five seconds, plus the measured skew, of the newest proof is applied and triggers a check. An older
//!   one changes nothing, but triggers a check if it disagrees. The check decides.

use super::{Dimension, Facts, Flow, FlowFact, Known};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Applied, Authorization, Cause, Eye};

/// One piece of evidence about one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Through which eye.
    pub eye: Eye,
    /// The time that counts: of an event, never later than our receipt.
    pub at: DateTime<Utc>,
    /// An event's own time as upstream wrote it; it counts no later than `at`.
    pub own_at: Option<DateTime<Utc>>,
    /// What it says.
    pub facts: Facts,
}

/// Why a closer look is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckReason {
    /// It became unwell by what an event said, or without a detail: confirm it and learn why.
    Changed,
    /// Evidence disagrees: decide.
    Conflict,
}

impl CheckReason {
    /// The code in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Conflict => "conflict",
        }
    }
}

/// What evidence did.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// What is known now.
    pub known: Known,
    /// What it did.
    pub applied: Applied,
    /// Whether a closer look is needed.
    pub check: Option<CheckReason>,
    /// Whether it proves the state at its time.
    pub proves: bool,
}

/// How near to the newest proof an event may lie and still be applied, beside the measured skew.
const NEAR: TimeDelta = TimeDelta::seconds(5);

/// The most that a skew counts for.
const MOST_SKEW: TimeDelta = TimeDelta::minutes(10);

/// Weighs one sighting. `skew` is upstream's clock minus ours; `now` is when we weigh.
pub fn weigh(known: &Known, sighting: &Sighting, skew: TimeDelta, now: DateTime<Utc>) -> Weighed {
    let mut next = known.clone();
    let facts = &sighting.facts;
    let own_at = sighting.own_at.map(|own| own.min(sighting.at));
    let newest_event = known.event_at.map(|newest| not_of_the_future(newest, now));
    // what is wrong in store is put right, whatever the sighting does
    next.event_at = newest_event;
    let stale_event =
        sighting.eye == Eye::Webhook && own_at.zip(newest_event).is_some_and(|(own, newest)| own < newest);
    // A clock that is further off is broken, and must not make every old event news.
    let tolerance = NEAR + skew.abs().min(MOST_SKEW);
    let stands = |at: DateTime<Utc>, eye: Eye| match sighting.eye {
        Eye::Poll | Eye::Check if sighting.at >= at => Stands::Clearly,
        Eye::Poll | Eye::Check => Stands::No,
        Eye::Webhook if stale_event => Stands::No,
        Eye::Webhook if sighting.at >= at || eye == Eye::Webhook => Stands::Clearly,
        Eye::Webhook if sighting.at >= at - tolerance => Stands::Nearly,
        Eye::Webhook => Stands::No,
    };

    let mut tally = Tally::default();
    if let Some((value, cause)) = facts.authorization {
        let stands = stands(known.authorization.at, known.authorization.eye);
        let agrees = known.authorization.value == value;
        tally.count(stands, agrees, value == Authorization::Authorized);
        if stands != Stands::No {
            let at = known.authorization.at.max(sighting.at);
            // a poll that knows less must not blur the cause that an event or a check told us
            let cause = if agrees { better(known.authorization.cause, cause, sighting.eye) } else { cause };
            next.authorization = Dimension { value, at, eye: sighting.eye, cause };
        }
    }
    if let Some((fact, cause)) = facts.flow {
        let flow = match fact {
            FlowFact::Is(flow) => flow,
            // an answer ends being offline, and nothing else
            FlowFact::Reachable if matches!(known.flow.value, Flow::Offline | Flow::Unknown) => Flow::Good,
            FlowFact::Reachable => known.flow.value,
        };
        let stands = stands(known.flow.at, known.flow.eye);
        let agrees = known.flow.value == flow;
        tally.count(stands, agrees, !matches!(flow, Flow::Failing | Flow::Offline | Flow::Unknown));
        if stands != Stands::No {
            let at = known.flow.at.max(sighting.at);
            let cause = if agrees { better(known.flow.cause, cause, sighting.eye) } else { cause };
            next.flow = Dimension { value: flow, at, eye: sighting.eye, cause };
        }
    }
    // a good sync that happened did happen, however late its message came
    next.last_good_sync_at = known.last_good_sync_at.max(facts.last_good_sync_at);
    if let (Some(before), Some(after)) = (known.last_good_sync_at, next.last_good_sync_at)
        && known.flow.value == Flow::Good
        && known.authorization.value == Authorization::Authorized
    {
        next.rhythm.note(before, after);
    }
    if let Some(busy) = facts.busy.filter(|_| tally.applied) {
        next.busy_since = known.busy_since.or(Some(sighting.at)).filter(|_| busy);
    }
    if facts.cadence_upstream.is_some() {
        next.cadence_upstream = facts.cadence_upstream;
    }
    if sighting.eye == Eye::Webhook && tally.applied && !stale_event {
        next.event_at = newest_event.max(own_at);
    }
    let unwell = next.authorization.value != Authorization::Authorized
        || !matches!(next.flow.value, Flow::Good | Flow::FirstSync | Flow::NotConnected | Flow::Paused);
    if !unwell {
        next.detail = None;
    } else if tally.applied && (tally.changed || facts.detail.is_some()) {
        // what was said of another state does not explain this one
        next.detail.clone_from(&facts.detail);
    }

    let names_no_dimension = facts.authorization.is_none() && facts.flow.is_none();
    let applied = match (tally.applied, tally.changed, tally.disagrees) {
        (_, true, _) => Applied::Changed,
        (_, _, true) => Applied::Conflict,
        (true, ..) => Applied::Confirmed,
        (false, ..) if names_no_dimension => Applied::Confirmed,
        (false, ..) => Applied::Older,
    };
    let confirm = tally.changed && tally.bad_news && sighting.eye != Eye::Check;
    let alarm = names_no_dimension && sighting.eye == Eye::Webhook && !facts.of_data;
    let check = if tally.disagrees || tally.nearly {
        Some(CheckReason::Conflict)
    } else if confirm || alarm {
        Some(CheckReason::Changed)
    } else {
        None
    };
    Weighed {
        known: next,
        applied,
        check: check.filter(|_| sighting.eye != Eye::Check || tally.disagrees),
        proves: tally.applied,
    }
}

/// No event can be newer than now. The clocks of our own processes may differ a little, and that is left alone.
fn not_of_the_future(event_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    if event_at > now + NEAR { now } else { event_at }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Clearly,
    Nearly,
    No,
}

#[derive(Default)]
struct Tally {
    applied: bool,
    changed: bool,
    nearly: bool,
    disagrees: bool,
    bad_news: bool,
}

impl Tally {
    fn count(&mut self, stands: Stands, agrees: bool, good_news: bool) {
        self.applied |= stands != Stands::No;
        self.changed |= stands != Stands::No && !agrees;
        self.nearly |= stands == Stands::Nearly && !agrees;
        self.disagrees |= stands == Stands::No && !agrees;
        self.bad_news |= !agrees && !good_news;
    }
}

/// Which of two causes of the same state to keep: a list is blunter than an event or a check.
fn better(old: Option<Cause>, new: Option<Cause>, eye: Eye) -> Option<Cause> {
    if eye == Eye::Poll { old.or(new) } else { new.or(old) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_790_000_000_000 + ms).unwrap()
    }

    fn flow(value: Flow) -> Facts {
        Facts { flow: Some((FlowFact::Is(value), None)), ..Facts::default() }
    }

    fn event(sent: i64, received: i64, facts: Facts) -> Sighting {
        Sighting { eye: Eye::Webhook, at: at(sent.min(received)), own_at: Some(at(sent)), facts }
    }

    fn poll(sent: i64, facts: Facts) -> Sighting {
        Sighting { eye: Eye::Poll, at: at(sent), own_at: None, facts }
    }

    fn known_by(sighting: Sighting) -> Known {
        weighed(&Known::nothing(at(-1_000_000)), &sighting, TimeDelta::zero()).known
    }

    /// Weighs it after everything in these tests has happened.
    fn weighed(known: &Known, sighting: &Sighting, skew: TimeDelta) -> Weighed {
        weigh(known, sighting, skew, at(10_000_000))
    }

    #[test]
    fn an_old_event_changes_nothing_and_asks_for_a_check_if_it_disagrees() {
        let known = known_by(poll(100_000, flow(Flow::Good)));
        let late = weighed(&known, &event(90_000, 101_000, flow(Flow::Offline)), TimeDelta::zero());
        assert_eq!(
            (late.known, late.applied, late.check),
            (known.clone(), Applied::Conflict, Some(CheckReason::Conflict))
        );
        let agreeing = weighed(&known, &event(90_000, 101_000, flow(Flow::Good)), TimeDelta::zero());
        assert_eq!((agreeing.applied, agreeing.check), (Applied::Older, None));
    }

    #[test]
    fn a_broken_clock_makes_no_old_event_news() {
        let known = known_by(poll(90_000_000, flow(Flow::Good)));
        let old = event(5_000_000, 90_001_000, flow(Flow::Offline));
        let heard = weigh(&known, &old, TimeDelta::days(20_000), at(91_000_000));
        assert_eq!(heard.known.flow.value, Flow::Good);
    }

    #[test]
    fn an_event_near_the_newest_proof_is_applied_and_checked_and_skew_widens_near() {
        let known = known_by(poll(100_000, flow(Flow::Good)));
        let near = weighed(&known, &event(96_000, 101_000, flow(Flow::Offline)), TimeDelta::zero());
        assert_eq!((near.known.flow.value, near.check), (Flow::Offline, Some(CheckReason::Conflict)));
        assert_eq!(near.known.flow.at, at(100_000), "the time of what is known never moves backwards");
        let skewed = weighed(&known, &event(80_000, 101_000, flow(Flow::Offline)), TimeDelta::seconds(-20));
        assert_eq!(skewed.known.flow.value, Flow::Offline);
    }

    #[test]
    fn a_poll_sent_before_the_event_does_not_undo_it() {
        let known = known_by(event(100_000, 100_100, flow(Flow::Offline)));
        let slow = weighed(&known, &poll(99_900, flow(Flow::Good)), TimeDelta::zero());
        assert_eq!((slow.known.flow.value, slow.check), (Flow::Offline, Some(CheckReason::Conflict)));
    }

    #[test]
    fn reachable_ends_offline_only() {
        let reachable = Facts { flow: Some((FlowFact::Reachable, None)), ..Facts::default() };
        let offline = known_by(poll(0, flow(Flow::Offline)));
        assert_eq!(weighed(&offline, &poll(1, reachable.clone()), TimeDelta::zero()).known.flow.value, Flow::Good);
        let failing = known_by(poll(0, flow(Flow::Failing)));
        assert_eq!(weighed(&failing, &poll(1, reachable), TimeDelta::zero()).known.flow.value, Flow::Failing);
    }

    #[test]
    fn a_stamp_from_the_future_counts_as_our_receipt_and_silences_nobody() {
        let century = 100 * 365 * 86_400_000;
        let known = known_by(event(100_000 + century, 100_000, flow(Flow::Good)));
        assert_eq!((known.flow.at, known.event_at), (at(100_000), Some(at(100_000))));
        let next = weighed(&known, &event(100_500, 100_600, flow(Flow::Offline)), TimeDelta::zero());
        assert_eq!((next.known.flow.value, next.applied), (Flow::Offline, Applied::Changed));
        let older = weighed(&known, &event(99_500, 100_600, flow(Flow::Offline)), TimeDelta::zero());
        assert_eq!((older.known.flow.value, older.applied), (Flow::Good, Applied::Conflict), "the order is kept");
    }

    #[test]
    fn what_is_stored_from_the_future_is_put_right_by_whatever_comes_next() {
        let century = 100 * 365 * 86_400_000;
        let good = known_by(poll(0, flow(Flow::Good)));
        let stored = Known { event_at: Some(at(century)), ..good.clone() };
        let polled = weigh(&stored, &poll(60_000, flow(Flow::Good)), TimeDelta::zero(), at(60_100));
        assert_eq!(polled.known.event_at, Some(at(60_100)));
        let heard = weigh(&polled.known, &event(61_000, 61_100, flow(Flow::Offline)), TimeDelta::zero(), at(61_200));
        assert_eq!((heard.known.flow.value, heard.known.event_at), (Flow::Offline, Some(at(61_000))));
        // an event that was first to come is too late by what it took us to weigh it; it disagrees, so the check decides
        let first = weigh(&stored, &event(61_000, 61_100, flow(Flow::Offline)), TimeDelta::zero(), at(61_200));
        assert_eq!((first.check, first.known.event_at), (Some(CheckReason::Conflict), Some(at(61_200))));
        let second = weigh(&first.known, &event(62_000, 62_100, flow(Flow::Offline)), TimeDelta::zero(), at(62_200));
        assert_eq!((second.known.flow.value, second.applied), (Flow::Offline, Applied::Changed));
        // another process's clock may be a little ahead of ours: no reason to forget the order
        let ahead = Known { event_at: Some(at(62_000)), ..good };
        let left = weigh(&ahead, &poll(60_000, flow(Flow::Good)), TimeDelta::zero(), at(60_100));
        assert_eq!(left.known.event_at, Some(at(62_000)));
    }

    fn is(authorization: Authorization, why: Option<Cause>) -> Facts {
        Facts { authorization: Some((authorization, why)), ..Facts::default() }
    }

    fn both(authorization: Authorization, value: Flow) -> Facts {
        Facts { authorization: Some((authorization, None)), ..flow(value) }
    }

    const WELL: Authorization = Authorization::Authorized;
    const REFUSED: Authorization = Authorization::ReauthorizationRequired;

    #[test]
    fn bad_news_of_an_event_is_confirmed_and_good_news_is_believed() {
        let well = known_by(poll(0, both(WELL, Flow::Good)));
        let ill = known_by(poll(0, both(REFUSED, Flow::Offline)));
        let told = |known: &Known, facts: Facts| {
            let told = weighed(known, &event(60_000, 60_100, facts), TimeDelta::zero());
            (told.applied, told.check)
        };
        for bad in [flow(Flow::Failing), is(REFUSED, Some(Cause::Revoked)), both(REFUSED, Flow::Offline)] {
            assert_eq!(told(&well, bad.clone()), (Applied::Changed, Some(CheckReason::Changed)), "{bad:?}");
        }
        for good in [flow(Flow::Good), is(WELL, None), both(WELL, Flow::Good)] {
            assert_eq!(told(&ill, good.clone()), (Applied::Changed, None), "{good:?}");
        }
        for known in [flow(Flow::Good), both(WELL, Flow::Good)] {
            assert_eq!(told(&well, known), (Applied::Confirmed, None));
        }
        assert_eq!(told(&ill, both(REFUSED, Flow::Offline)), (Applied::Confirmed, None), "that was known");
        let looked = Sighting { eye: Eye::Check, ..poll(60_000, both(REFUSED, Flow::Offline)) };
        let looked = weighed(&well, &looked, TimeDelta::zero());
        assert_eq!((looked.applied, looked.check, looked.proves), (Applied::Changed, None, true), "a check decides");
    }

    #[test]
    fn both_dimensions_are_weighed_alike() {
        let well = known_by(poll(100_000, both(WELL, Flow::Good)));
        for (own, applied) in [(90_000, Applied::Conflict), (96_000, Applied::Changed)] {
            let told = weighed(&well, &event(own, 101_000, both(REFUSED, Flow::Offline)), TimeDelta::zero());
            assert_eq!((told.applied, told.check), (applied, Some(CheckReason::Conflict)), "{own}");
            assert_eq!(told.proves, applied == Applied::Changed);
            let changed = (told.known.authorization.value, told.known.flow.value) == (REFUSED, Flow::Offline);
            assert_eq!(changed, applied == Applied::Changed, "{own}");
        }
        let near = weighed(&well, &event(96_000, 101_000, both(WELL, Flow::Good)), TimeDelta::zero());
        assert_eq!((near.applied, near.check), (Applied::Confirmed, None), "near, and of one mind");
    }

    #[test]
    fn of_one_moment_the_last_to_come_counts() {
        let known = known_by(event(100_000, 100_100, flow(Flow::Offline)));
        let next = weighed(&known, &event(100_000, 100_200, flow(Flow::Good)), TimeDelta::zero());
        assert_eq!(
            (next.known.flow.value, next.applied),
            (Flow::Good, Applied::Changed),
            "upstream may stamp whole seconds"
        );
    }

    #[test]
    fn what_names_no_dimension_asks_for_a_look_and_outranks_no_event() {
        let well = known_by(poll(0, both(WELL, Flow::Good)));
        let alarm = weighed(&well, &event(60_000, 60_100, Facts::default()), TimeDelta::zero());
        assert_eq!((alarm.applied, alarm.check), (Applied::Confirmed, Some(CheckReason::Changed)));
        assert_eq!((alarm.proves, alarm.known.event_at), (false, None));
        let late = weighed(&alarm.known, &event(59_000, 60_200, flow(Flow::Offline)), TimeDelta::zero());
        assert_eq!(late.known.flow.value, Flow::Offline, "its event was on its way for longer");
        let polled = weighed(&well, &poll(60_000, Facts::default()), TimeDelta::zero());
        assert_eq!((polled.applied, polled.check), (Applied::Confirmed, None));
    }

    #[test]
    fn a_list_does_not_blur_the_cause_that_an_event_or_a_check_told() {
        let known = known_by(event(0, 100, is(REFUSED, Some(Cause::PermissionMissing))));
        let cause = |eye, why| {
            let sighting = Sighting { eye, ..poll(60_000, is(REFUSED, why)) };
            weighed(&known, &sighting, TimeDelta::zero()).known.authorization.cause
        };
        assert_eq!(cause(Eye::Poll, Some(Cause::CredentialsChanged)), Some(Cause::PermissionMissing));
        assert_eq!(cause(Eye::Check, Some(Cause::CredentialsChanged)), Some(Cause::CredentialsChanged));
        assert_eq!(cause(Eye::Check, None), Some(Cause::PermissionMissing), "who says nothing takes nothing back");
        let revoked =
            weighed(&known, &poll(60_000, is(Authorization::Revoked, Some(Cause::Revoked))), TimeDelta::zero());
        assert_eq!(revoked.known.authorization.cause, Some(Cause::Revoked), "another state has its own cause");
        let failing = known_by(event(
            0,
            100,
            Facts { flow: Some((FlowFact::Is(Flow::Failing), Some(Cause::SyncError))), ..Facts::default() },
        ));
        let listed = weighed(&failing, &poll(60_000, flow(Flow::Failing)), TimeDelta::zero());
        assert_eq!(listed.known.flow.cause, Some(Cause::SyncError));
    }

    #[test]
    fn upstreams_words_stay_with_the_trouble_that_they_are_about() {
        let said = |facts: Facts, words: &str| Facts { detail: Some(words.to_owned()), ..facts };
        let down = known_by(event(0, 100, said(both(WELL, Flow::Offline), "timeout")));
        assert_eq!(down.detail.as_deref(), Some("timeout"));
        let after = |known: &Known, sighting| weighed(known, &sighting, TimeDelta::zero()).known.detail;
        assert_eq!(after(&down, poll(60_000, flow(Flow::Offline))).as_deref(), Some("timeout"), "a list has no words");
        let other = said(flow(Flow::Offline), "refused");
        assert_eq!(after(&down, poll(60_000, other.clone())).as_deref(), Some("refused"), "newer words of the same");
        assert_eq!(after(&down, poll(-60_000, other)).as_deref(), Some("timeout"), "older words do not count");
        assert_eq!(after(&down, poll(60_000, flow(Flow::Failing))), None, "they were about something else");
        assert_eq!(after(&down, poll(60_000, said(flow(Flow::Good), "fine"))), None, "nothing is wrong any more");
        let refused = known_by(poll(0, said(both(REFUSED, Flow::Good), "expired")));
        assert_eq!(after(&refused, poll(60_000, both(REFUSED, Flow::Good))).as_deref(), Some("expired"));
    }

    #[test]
    fn only_good_syncs_with_all_well_between_teach_a_rhythm() {
        let synced = |facts: Facts, good: i64| Facts { last_good_sync_at: Some(at(good)), ..facts };
        for (before, taught) in
            [(both(WELL, Flow::Good), 1), (both(WELL, Flow::Failing), 0), (both(REFUSED, Flow::Good), 0)]
        {
            let known = known_by(poll(0, synced(before.clone(), 0)));
            let next = weighed(&known, &poll(900_000, synced(both(WELL, Flow::Good), 900_000)), TimeDelta::zero());
            assert_eq!(next.known.rhythm.intervals.len(), taught, "{before:?}");
        }
    }

    /// The model: what really happened, in order. Its state is what it last set.
    #[derive(Clone, Debug)]
    struct Happening {
        ms: i64,
        flow: Flow,
    }

    prop_compose! {
        fn happenings()(steps in prop::collection::vec((1i64..60_000, prop::sample::select(vec![Flow::Good, Flow::Offline, Flow::Failing])), 1..12)) -> Vec<Happening> {
            let mut ms = 0;
            steps.into_iter().map(|(wait, flow)| { ms += wait; Happening { ms, flow } }).collect()
        }
    }

    /// How far into the future an event is stamped, in milliseconds: mostly not at all, sometimes centuries.
    fn forward() -> impl Strategy<Value = i64> {
        prop_oneof![
            6 => Just(0i64),
            1 => 1i64..900_000,
            1 => 86_400_000i64..400 * 365 * 86_400_000,
        ]
    }

    fn truth(story: &[Happening], ms: i64) -> Option<Flow> {
        story.iter().rev().find(|happening| happening.ms <= ms).map(|happening| happening.flow)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Random order, duplicates, losses, clocks up to ten minutes wrong (measured or not), stamps far in the future,
        /// polls in between:
        /// after the next poll the state is the model's, and on the way nothing moved backwards.
        #[test]
        fn whatever_comes_the_next_poll_ends_it_and_nothing_moves_backwards(
            story in happenings(),
            deliveries in prop::collection::vec((0usize..12, 0i64..900_000, forward()), 0..30),
            polls in prop::collection::vec(0i64..900_000, 0..6),
            skew_ms in -600_000i64..600_000,
            measured: bool,
        ) {
            let end = 2_000_000;
            let mut arrivals: Vec<(i64, Sighting)> = Vec::new();
            for (which, delay, forward) in deliveries {
                let happening = &story[which % story.len()];
                let received = happening.ms + delay;
                let own = happening.ms + skew_ms + forward;
                arrivals.push((received, event(own, received, Facts {
                    last_good_sync_at: (happening.flow == Flow::Good).then(|| at(own.min(received))),
                    ..flow(happening.flow)
                })));
            }
            for sent in polls {
                if let Some(value) = truth(&story, sent) {
                    // the answer takes a while, so that events overtake it
                    arrivals.push((sent + 2_000, poll(sent, flow(value))));
                }
            }
            arrivals.sort_by_key(|(received, _)| *received);
            let skew = if measured { TimeDelta::milliseconds(skew_ms) } else { TimeDelta::zero() };
            let mut known = Known::nothing(at(-1));
            for (arrived, sighting) in &arrivals {
                let now = at(*arrived);
                let weighed = weigh(&known, sighting, skew, now);
                prop_assert!(weighed.known.flow.at >= known.flow.at);
                prop_assert!(weighed.known.event_at >= known.event_at);
                prop_assert!(weighed.known.event_at.is_none_or(|newest| newest <= now), "an event of the future is remembered");
                prop_assert!(weighed.known.last_good_sync_at >= known.last_good_sync_at);
                if weighed.known.flow.value != known.flow.value {
                    prop_assert_eq!(weighed.applied, Applied::Changed);
                    if sighting.eye == Eye::Webhook {
                        // what counts of a stamp from the future is that it came now
                        let own = sighting.own_at.unwrap().min(now);
                        prop_assert!(known.event_at.is_none_or(|newest| own >= newest), "an event older than another changed the state");
                        prop_assert!(known.flow.eye == Eye::Webhook || sighting.at >= known.flow.at - NEAR - skew.abs());
                    } else {
                        prop_assert!(sighting.at >= known.flow.at);
                    }
                }
                if weighed.applied == Applied::Conflict {
                    prop_assert_eq!(weighed.check, Some(CheckReason::Conflict), "a disagreement is always looked into");
                }
                // the same again changes nothing more
                let again = weigh(&weighed.known, sighting, skew, now);
                prop_assert_eq!(again.known.flow.value, weighed.known.flow.value);
                known = weighed.known;
            }
            let last = truth(&story, end).unwrap();
            // whatever was stamped, what happens now and is stamped rightly is heard
            let heard = weigh(&known, &event(end - 1, end - 1, flow(last)), skew, at(end));
            prop_assert!(matches!(heard.applied, Applied::Changed | Applied::Confirmed), "{:?}", heard.applied);
            prop_assert_eq!(heard.known.flow.value, last);
            let decided = weigh(&known, &poll(end, flow(last)), skew, at(end));
            prop_assert_eq!(decided.known.flow.value, last);
            prop_assert_eq!(decided.known.flow.eye, Eye::Poll);
        }
    }
}
