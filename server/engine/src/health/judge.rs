//! From what is known to what is shown. Pure.

use super::feed::{self, Webhooks};
use super::{Feed, Flow, Hearing, Known, Learned};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Authorization, CadenceFrom, Cause, DataFlow, Health};

/// How a source's connections are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The source's cadence where nothing better is known, in seconds.
    pub cadence_default: Option<i64>,
    /// Late after cadence times this …
    pub late_factor: f64,
    /// … plus this.
    pub late_grace: TimeDelta,
    /// How old a proof may become.
    pub proof_allowance: TimeDelta,
    /// Whether the source's webhooks come, as far as that is known.
    pub hearing: Option<Hearing>,
}

impl Policy {
    /// The cadence that holds: upstream's, else a person's, else what was learned, else the source's.
    pub fn cadence(
        &self,
        upstream: Option<i64>,
        set: Option<i64>,
        learned: Option<Learned>,
    ) -> Option<(i64, CadenceFrom)> {
        upstream
            .map(|seconds| (seconds, CadenceFrom::Upstream))
            .or_else(|| set.map(|seconds| (seconds, CadenceFrom::Set)))
            .or_else(|| learned.map(|learned| (learned.seconds, CadenceFrom::Learned)))
            .or_else(|| self.cadence_default.map(|seconds| (seconds, CadenceFrom::Set)))
    }

    /// From when on a connection is late unless a good sync comes before.
    pub fn late_at(&self, last_good: Option<DateTime<Utc>>, cadence: Option<i64>) -> Option<DateTime<Utc>> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "seconds, bounded by the settings"
        )]
        let patience = TimeDelta::try_milliseconds((cadence? as f64 * self.late_factor * 1_000.0) as i64)?;
        last_good?.checked_add_signed(patience)?.checked_add_signed(self.late_grace)
    }
}

/// A first sync reads 30 to 90 days of history: minutes to hours. One that takes longer is slow, and still a first sync.
const FIRST_SYNC_PATIENCE: TimeDelta = TimeDelta::hours(12);

/// What is shown of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Dimension 1.
    pub authorization: Authorization,
    /// Dimension 2.
    pub data_flow: DataFlow,
    /// The headline.
    pub health: Health,
    /// Why; none while healthy.
    pub cause: Option<Cause>,
    /// What upstream said about it.
    pub detail: Option<String>,
    /// When the clock alone may change it; the age of the proof aside, which a sweep watches. Lateness needs somebody who
    /// looked, so this is only set where the proof of another process's clock lies ahead of ours.
    pub due: Option<DateTime<Utc>>,
}

/// Judges a connection. Old proof proves nothing: then everything is unknown, and never healthy.
///
/// A connection is late when somebody looked after its deadline and there was no sync. A deadline that passed while nobody
/// could look says nothing against it: what was proved stands until the proof is too old. One that is fed in real time has its
/// webhooks for syncs; and whose usual webhooks have stopped, while all else goes on, is late in what it is told.
pub fn judge(
    known: &Known,
    cadence_set: Option<i64>,
    proof_at: Option<DateTime<Utc>>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Judgement {
    let Some(proof_at) = proof_at.filter(|at| now - *at <= policy.proof_allowance) else {
        return Judgement {
            authorization: Authorization::Unknown,
            data_flow: DataFlow::Unknown,
            health: Health::Unknown,
            cause: Some(Cause::NoProof),
            detail: None,
            due: None,
        };
    };
    let feed = policy.feed(known, cadence_set, now);
    let cadence = feed.cadence();
    let real_time = matches!(feed, Feed::RealTime(_));
    let webhooks = match known.flow.value {
        Flow::Good => feed::webhooks(policy, &feed, known, proof_at, now),
        _ => Webhooks::AsUsual,
    };
    // a deadline after which nobody has looked yet does not count yet
    let late_at = policy.late_at(known.last_good_sync_at, cadence).filter(|at| proof_at >= *at);
    let (data_flow, flow_cause) = match known.flow.value {
        // seen under way after its patience had ended: the same rule as for what is late
        Flow::FirstSync if known.busy_since.is_some_and(|since| proof_at - since >= FIRST_SYNC_PATIENCE) => {
            (DataFlow::FirstSync, Some(Cause::SlowSync))
        }
        Flow::NotConnected | Flow::FirstSync => (DataFlow::FirstSync, known.flow.cause),
        Flow::Failing => (DataFlow::Failing, known.flow.cause.or(Some(Cause::SyncError))),
        Flow::Offline => (DataFlow::Offline, known.flow.cause.or(Some(Cause::PlatformUnreachable))),
        Flow::Paused => (DataFlow::Paused, known.flow.cause),
        Flow::Unknown => (DataFlow::Unknown, known.flow.cause.or(Some(Cause::NoProof))),
        // nothing is held against it, and nothing proves that its data still comes
        Flow::Good if real_time && webhooks == Webhooks::Missing => (DataFlow::Unknown, Some(Cause::NoProof)),
        Flow::Good if !real_time && known.last_good_sync_at.is_none() => (DataFlow::Unknown, Some(Cause::NoProof)),
        Flow::Good if late_at.is_some_and(|at| now >= at) => {
            (DataFlow::Late, Some(if known.busy_since.is_some() { Cause::SlowSync } else { Cause::Late }))
        }
        Flow::Good if matches!(webhooks, Webhooks::Silent(_)) => (DataFlow::Late, Some(Cause::Silent)),
        Flow::Good => (DataFlow::Fresh, None),
    };
    let authorization = known.authorization.value;
    let health = headline(authorization, data_flow);
    let cause = match health {
        Health::Healthy => None,
        Health::ReauthorizationRequired => known.authorization.cause.or(Some(match authorization {
            Authorization::Revoked => Cause::Revoked,
            _ => Cause::CredentialsChanged,
        })),
        _ => flow_cause.or(Some(Cause::NoProof)),
    };
    let detail = match (cause, webhooks) {
        (None | Some(Cause::Late | Cause::SlowSync), _) => None,
        (Some(Cause::Silent), Webhooks::Silent(pace)) => Some(feed::words(&feed, known, &pace)),
        _ => known.detail.clone(),
    };
    Judgement {
        authorization,
        data_flow,
        health,
        cause,
        detail,
        due: late_at.filter(|at| known.flow.value == Flow::Good && *at > now),
    }
}

/// The headline: a function of both dimensions, worst first.
pub(super) fn headline(authorization: Authorization, data_flow: DataFlow) -> Health {
    match (authorization, data_flow) {
        (Authorization::ReauthorizationRequired | Authorization::Revoked, _) => Health::ReauthorizationRequired,
        (_, DataFlow::Offline) => Health::Offline,
        (_, DataFlow::Failing) => Health::Failing,
        (_, DataFlow::Late) => Health::Late,
        (_, DataFlow::Unknown) => Health::Unknown,
        (_, DataFlow::FirstSync) => Health::FirstSync,
        (_, DataFlow::Paused) => Health::Paused,
        (Authorization::Unknown, DataFlow::Fresh) => Health::Unknown,
        (Authorization::Authorized, DataFlow::Fresh) => Health::Healthy,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dimension;
    use super::*;
    use model::Eye;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    const POLICY: Policy = Policy {
        cadence_default: Some(900),
        late_factor: 2.0,
        late_grace: TimeDelta::seconds(300),
        proof_allowance: TimeDelta::seconds(900),
        hearing: None,
    };

    fn known(authorization: Authorization, flow: Flow, last_good: Option<i64>) -> Known {
        Known {
            authorization: Dimension { value: authorization, at: at(0), eye: Eye::Poll, cause: None },
            flow: Dimension { value: flow, at: at(0), eye: Eye::Poll, cause: None },
            last_good_sync_at: last_good.map(at),
            ..Known::nothing(at(0))
        }
    }

    /// The last good sync was at 0 and the deadline is at 2,100.
    #[test]
    fn late_is_what_somebody_saw_after_the_deadline() {
        let well = known(Authorization::Authorized, Flow::Good, Some(0));
        for (proof, now, health, due, why) in [
            (2_000, 2_099, Health::Healthy, None, "before the deadline; the clock alone will not make it late"),
            (2_000, 2_100, Health::Healthy, None, "past it, but nobody has looked since"),
            (2_099, 2_900, Health::Healthy, None, "the same, a moment before and long after"),
            (2_100, 2_100, Health::Late, None, "somebody looked at that very moment"),
            (2_101, 2_900, Health::Late, None, "somebody looked; nobody has since, and it stays late"),
            (2_101, 3_001, Health::Late, None, "… as long as the proof may be old"),
            (2_101, 3_002, Health::Unknown, None, "… and no longer"),
            (2_000, 2_901, Health::Unknown, None, "nobody could look: unknown, and never late"),
            (2_100, 2_099, Health::Healthy, Some(2_100), "proved by a clock ahead of ours: late once ours is there"),
        ] {
            let shown = judge(&well, None, Some(at(proof)), &POLICY, at(now));
            assert_eq!((shown.health, shown.due), (health, due.map(at)), "{why}");
        }
        let late = judge(&well, None, Some(at(2_100)), &POLICY, at(2_100));
        assert_eq!((late.data_flow, late.cause), (DataFlow::Late, Some(Cause::Late)));
        let patient = judge(&well, Some(3_600), Some(at(2_100)), &POLICY, at(2_100));
        assert_eq!(patient.health, Health::Healthy, "a person's cadence goes before the source's");
        let mut busy = well.clone();
        busy.busy_since = Some(at(600));
        let busy = judge(&busy, None, Some(at(2_100)), &POLICY, at(2_100));
        assert_eq!((busy.data_flow, busy.cause), (DataFlow::Late, Some(Cause::SlowSync)), "a sync is under way");
        let synced = known(Authorization::Authorized, Flow::Good, Some(1));
        assert_eq!(judge(&synced, None, Some(at(2_100)), &POLICY, at(2_100)).health, Health::Healthy);
    }

    #[test]
    fn what_was_learned_goes_before_the_source_and_after_a_person_and_upstream() {
        let learned = Some(Learned { seconds: 60, syncs: 9 });
        assert_eq!(POLICY.cadence(Some(10), Some(20), learned), Some((10, CadenceFrom::Upstream)));
        assert_eq!(POLICY.cadence(None, Some(20), learned), Some((20, CadenceFrom::Set)));
        assert_eq!(POLICY.cadence(None, None, learned), Some((60, CadenceFrom::Learned)));
        assert_eq!(POLICY.cadence(None, None, None), Some((900, CadenceFrom::Set)));
    }

    #[test]
    fn a_first_sync_of_six_hours_is_no_hang_and_one_of_a_day_is_slow() {
        let mut first = known(Authorization::Authorized, Flow::FirstSync, None);
        first.flow.cause = Some(Cause::ReadingHistory);
        first.busy_since = Some(at(0));
        let shown = |hours: i64| {
            let shown = judge(&first, None, Some(at(hours * 3_600)), &POLICY, at(hours * 3_600));
            (shown.health, shown.cause)
        };
        assert_eq!(shown(6), (Health::FirstSync, Some(Cause::ReadingHistory)));
        assert_eq!(shown(24), (Health::FirstSync, Some(Cause::SlowSync)));
    }

    #[test]
    fn what_must_be_signed_in_again_has_a_cause_even_where_nobody_told_it() {
        let cause = |authorization| {
            judge(&known(authorization, Flow::Offline, Some(0)), None, Some(at(0)), &POLICY, at(0)).cause
        };
        assert_eq!(cause(Authorization::Revoked), Some(Cause::Revoked));
        assert_eq!(cause(Authorization::ReauthorizationRequired), Some(Cause::CredentialsChanged));
    }

    #[test]
    fn upstreams_words_are_shown_of_trouble_that_upstream_spoke_of() {
        let detail = |flow, now: i64| {
            let known = Known { detail: Some("timeout".to_owned()), ..known(Authorization::Authorized, flow, Some(0)) };
            judge(&known, None, Some(at(now)), &POLICY, at(now)).detail
        };
        assert_eq!(detail(Flow::Offline, 60).as_deref(), Some("timeout"));
        assert_eq!(detail(Flow::Good, 60), None, "healthy");
        assert_eq!(detail(Flow::Good, 2_100), None, "that it is late is our own finding");
    }

    #[test]
    fn every_pair_of_dimensions_has_the_headline_of_the_table() {
        use Authorization as A;
        for flow in DataFlow::ALL {
            assert_eq!(headline(A::ReauthorizationRequired, *flow), Health::ReauthorizationRequired);
            assert_eq!(headline(A::Revoked, *flow), Health::ReauthorizationRequired);
        }
        for (flow, health) in [
            (DataFlow::FirstSync, Health::FirstSync),
            (DataFlow::Fresh, Health::Healthy),
            (DataFlow::Late, Health::Late),
            (DataFlow::Failing, Health::Failing),
            (DataFlow::Offline, Health::Offline),
            (DataFlow::Paused, Health::Paused),
            (DataFlow::Unknown, Health::Unknown),
        ] {
            assert_eq!(headline(A::Authorized, flow), health);
        }
    }

    prop_compose! {
        fn anything()(
            authorization in prop::sample::select(Authorization::ALL),
            flow in prop::sample::select(&Flow::ALL[..]),
            last_good in prop::option::of(-100_000i64..100_000),
        ) -> Known { known(authorization, flow, last_good) }
    }

    proptest! {
        #[test]
        fn without_young_proof_nothing_is_claimed(known in anything(), age in 901i64..1_000_000, cadence in prop::option::of(60i64..100_000)) {
            let shown = judge(&known, cadence, Some(at(-age)), &POLICY, at(0));
            prop_assert_eq!(shown.health, Health::Unknown);
            prop_assert_eq!(shown.authorization, Authorization::Unknown);
            prop_assert_eq!(judge(&known, cadence, None, &POLICY, at(0)).health, Health::Unknown);
        }

        #[test]
        fn healthy_means_proved_signed_in_and_fresh_and_everything_else_has_a_cause(known in anything(), now in -100_000i64..100_000) {
            let shown = judge(&known, None, Some(at(now)), &POLICY, at(now));
            if shown.health == Health::Healthy {
                prop_assert_eq!(known.authorization.value, Authorization::Authorized);
                prop_assert_eq!(known.flow.value, Flow::Good);
                prop_assert!(known.last_good_sync_at.unwrap() + TimeDelta::seconds(2_100) > at(now));
            }
            prop_assert_eq!(shown.cause.is_none(), shown.health == Health::Healthy);
        }

        /// Everything around the deadline: with a young proof, the last word of upstream is shown; a good one is late when both
        /// we and our newest look are past the deadline, and fresh when not.
        #[test]
        fn what_is_shown_of_the_flow_is_the_rule_and_nothing_else(
            flow in prop::sample::select(&Flow::ALL[..]),
            last_good in prop::option::of(-3_000i64..1_000),
            proof in -1_200i64..60,
            cadence in prop::option::of(60i64..2_000),
        ) {
            let shown = judge(&known(Authorization::Authorized, flow, last_good), cadence, Some(at(proof)), &POLICY, at(0));
            let past_deadline = |moment: i64| {
                last_good.is_some_and(|last_good| moment - last_good - 300 >= 2 * cadence.unwrap_or(900))
            };
            let expected = if proof < -900 {
                DataFlow::Unknown
            } else {
                match flow {
                    Flow::Unknown => DataFlow::Unknown,
                    Flow::NotConnected | Flow::FirstSync => DataFlow::FirstSync,
                    Flow::Failing => DataFlow::Failing,
                    Flow::Offline => DataFlow::Offline,
                    Flow::Paused => DataFlow::Paused,
                    Flow::Good if last_good.is_none() => DataFlow::Unknown,
                    Flow::Good if past_deadline(0) && past_deadline(proof) => DataFlow::Late,
                    Flow::Good => DataFlow::Fresh,
                }
            };
            prop_assert_eq!(shown.data_flow, expected);
        }

        /// While nobody looks, nobody becomes late.
        #[test]
        fn blindness_makes_nobody_late(known in anything(), now in -100_000i64..100_000, blind_for in 0i64..100_000) {
            let before = judge(&known, None, Some(at(now)), &POLICY, at(now));
            let after = judge(&known, None, Some(at(now)), &POLICY, at(now + blind_for));
            if blind_for > 900 {
                prop_assert_eq!(after.health, Health::Unknown);
            } else {
                prop_assert_eq!(after, before);
            }
        }

        /// Our clock may be behind that of the process that looked.
        #[test]
        fn nothing_changes_by_the_clock_before_it_is_due(
            flow in prop::sample::select(&Flow::ALL[..]),
            since_good in prop::option::of(1_500i64..2_500),
            ahead in -600i64..600,
            later in 0i64..300,
        ) {
            let known = known(Authorization::Authorized, flow, since_good.map(|seconds| -seconds));
            let first = judge(&known, None, Some(at(ahead)), &POLICY, at(0));
            let again = judge(&known, None, Some(at(ahead)), &POLICY, at(later));
            if first.due.is_none_or(|due| at(later) < due) {
                prop_assert_eq!(first, again);
            } else {
                prop_assert_eq!((first.data_flow, again.data_flow), (DataFlow::Fresh, DataFlow::Late));
            }
        }
    }
}
