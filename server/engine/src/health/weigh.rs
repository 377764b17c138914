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
        next.detail = facts.detail.clone().or_else(|| known.detail.clone().filter(|_| !tally.changed));
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
