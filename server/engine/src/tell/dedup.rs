//! Whether there is something new to tell, and what to call it: from what was told and what is so now. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use model::{AlertId, AlertState, MutedBy, NotificationReason};
use std::collections::BTreeSet;

/// Where an alert stands for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It fires, and may be told.
    Firing,
    /// It fires, but is muted: no news in either direction.
    Hidden,
    /// It is over, but the news of it is muted: told when the reason not to tell ends.
    Held,
    /// It is over.
    Over,
    /// It is over, and an outage tells of it: nothing is left to say.
    Dropped,
}

/// Where an alert stands for a group.
pub fn standing(state: AlertState, muted_by: Option<MutedBy>) -> Standing {
    match (state, muted_by) {
        (AlertState::Firing, None) => Standing::Firing,
        (AlertState::Firing, Some(_)) => Standing::Hidden,
        (_, Some(MutedBy::Outage)) => Standing::Dropped,
        (_, Some(_)) => Standing::Held,
        (_, None) => Standing::Over,
    }
}

/// What a group is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its alerts and where each stands.
    pub alerts: Vec<(AlertId, StandingOf)>,
    /// Those that were firing when it was last told.
    pub told: BTreeSet<AlertId>,
    /// When that was.
    pub told_at: Option<DateTime<Utc>>,
    /// Told again after so long while nobody has it; none: never.
    pub repeat: Option<TimeDelta>,
}

/// Where one alert of a group stands, and whether somebody has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingOf {
    /// Where it stands.
    pub standing: Standing,
    /// Whether somebody has it.
    pub acknowledged: bool,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why it is told; none: nothing is new.
    pub reason: Option<NotificationReason>,
    /// Those that fire, for the message and for the log.
    pub firing: BTreeSet<AlertId>,
    /// Those that were told of and are over.
    pub over: BTreeSet<AlertId>,
    /// The log after it.
    pub told: BTreeSet<AlertId>,
    /// Those that still belong to the group after it.
    pub stay: BTreeSet<AlertId>,
    /// When it is told again if nothing changes.
    pub again_at: Option<DateTime<Utc>>,
}

/// Compares what was told with what is so.
pub fn decide(group: &Group, now: DateTime<Utc>) -> Decision {
    let of = |wanted: Standing| {
        let those = group.alerts.iter().filter(move |(_, it)| it.standing == wanted);
        those.map(|(id, _)| *id).collect::<BTreeSet<_>>()
    };
    let (shown, hidden, held) = (of(Standing::Firing), of(Standing::Hidden), of(Standing::Held));
    let quiet: BTreeSet<_> = hidden.union(&held).copied().collect();
    // what was told and is muted now counts as it was told: to the reader nothing has changed
    let firing: BTreeSet<_> = shown.iter().chain(group.told.intersection(&quiet)).copied().collect();
    let dropped = of(Standing::Dropped);
    let told: BTreeSet<_> = group.told.difference(&dropped).copied().collect();
    let over: BTreeSet<_> = told.difference(&firing).copied().collect();
    let taken = |id: &AlertId| group.alerts.iter().any(|(other, it)| other == id && it.acknowledged);
    let all_taken = firing.iter().all(taken);
    let repeats = group.repeat.filter(|_| !all_taken && !firing.is_disjoint(&shown));
    let again = group.told_at.zip(repeats).map(|(told_at, repeat)| told_at + repeat);
    let reason = if told.is_empty() {
        (!firing.is_empty()).then_some(NotificationReason::First)
    } else if firing.is_empty() {
        Some(NotificationReason::Resolved)
    } else if !firing.is_subset(&told) {
        Some(NotificationReason::Grew)
    } else if !over.is_empty() {
        Some(NotificationReason::Shrank)
    } else {
        again.is_some_and(|at| at <= now).then_some(NotificationReason::Repeated)
    };
    let stay = firing.iter().chain(&quiet).copied().collect();
    let again_at = match reason {
        Some(_) => repeats.map(|repeat| now + repeat),
        None => again,
    };
    Decision { reason, told: if reason.is_some() { firing.clone() } else { told }, firing, over, stay, again_at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn id(n: u8) -> AlertId {
        AlertId(Uuid::from_u128(n.into()))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn group(told: &[u8], alerts: &[(u8, Standing)]) -> Group {
        Group {
            alerts: alerts
                .iter()
                .map(|(n, standing)| (id(*n), StandingOf { standing: *standing, acknowledged: false }))
                .collect(),
            told: told.iter().map(|n| id(*n)).collect(),
            told_at: (!told.is_empty()).then(|| at(0)),
            repeat: Some(TimeDelta::seconds(60)),
        }
    }

    #[test]
    fn each_kind_of_news_has_its_name() {
        use NotificationReason::{First, Grew, Repeated, Resolved, Shrank};
        use Standing::{Dropped, Firing, Held, Hidden, Over};
        for (told, alerts, now, reason) in [
            (&[][..], &[(1, Firing)][..], 1, Some(First)),
            (&[], &[(1, Over)], 1, None),
            (&[], &[(1, Hidden)], 1, None),
            (&[1], &[(1, Firing)], 59, None),
            (&[1], &[(1, Firing)], 60, Some(Repeated)),
            (&[1], &[(1, Hidden)], 60, None),
            (&[1], &[(1, Held)], 1, None),
            (&[1], &[(1, Dropped)], 1, None),
            (&[1], &[(1, Over)], 1, Some(Resolved)),
            (&[1, 2], &[(1, Over), (2, Firing)], 1, Some(Shrank)),
            (&[1], &[(1, Over), (2, Firing)], 1, Some(Grew)),
            (&[1, 2], &[(1, Dropped), (2, Firing)], 1, None),
        ] {
            assert_eq!(decide(&group(told, alerts), at(now)).reason, reason, "{told:?} {alerts:?} {now}");
        }
    }

    #[test]
    fn reminders_stop_when_all_are_taken() {
        let mut one = group(&[1, 2], &[(1, Standing::Firing), (2, Standing::Firing)]);
        one.alerts[0].1.acknowledged = true;
        assert_eq!(decide(&one, at(60)).reason, Some(NotificationReason::Repeated));
        one.alerts[1].1.acknowledged = true;
        let decision = decide(&one, at(60));
        assert_eq!((decision.reason, decision.again_at), (None, None));
    }

    #[test]
    fn an_alert_stands_where_its_state_and_its_mute_say() {
        use AlertState::{Firing, Pending, Resolved};
        for (state, muted_by, stands) in [
            (Firing, None, Standing::Firing),
            (Firing, Some(MutedBy::Outage), Standing::Hidden),
            (Firing, Some(MutedBy::Silence), Standing::Hidden),
            (Firing, Some(MutedBy::Maintenance), Standing::Hidden),
            (Resolved, None, Standing::Over),
            (Pending, None, Standing::Over),
            (Resolved, Some(MutedBy::Outage), Standing::Dropped),
            (Resolved, Some(MutedBy::Silence), Standing::Held),
            (Resolved, Some(MutedBy::Maintenance), Standing::Held),
        ] {
            assert_eq!(standing(state, muted_by), stands, "{state:?} {muted_by:?}");
        }
    }

    #[test]
    fn what_comes_after_is_counted_from_the_message_and_only_what_matters_stays() {
        use Standing::{Dropped, Firing, Held, Hidden, Over};
        let ids = |those: &[u8]| those.iter().map(|n| id(*n)).collect::<BTreeSet<_>>();
        let first = decide(&group(&[], &[(1, Firing), (2, Hidden), (3, Over)]), at(7));
        assert_eq!((first.again_at, first.told, first.stay), (Some(at(67)), ids(&[1]), ids(&[1, 2])));
        let quiet = decide(&group(&[1], &[(1, Firing)]), at(7));
        assert_eq!((quiet.reason, quiet.again_at), (None, Some(at(60))));
        let shrank = decide(&group(&[1, 2, 3], &[(1, Firing), (2, Over), (3, Held)]), at(7));
        assert_eq!((shrank.firing, shrank.over, shrank.stay), (ids(&[1, 3]), ids(&[2]), ids(&[1, 3])));
        let dropped = decide(&group(&[1], &[(1, Dropped)]), at(7));
        assert_eq!((dropped.reason, dropped.told, dropped.stay, dropped.again_at), (None, ids(&[]), ids(&[]), None));
        let over = decide(&group(&[1], &[(1, Over)]), at(7));
        assert_eq!((over.over, over.told, over.again_at), (ids(&[1]), ids(&[]), None));
        let never = Group { repeat: None, ..group(&[1], &[(1, Firing)]) };
        assert_eq!(decide(&never, at(1_000_000)).reason, None);
    }

    /// One step of a story: what each of five alerts does.
    fn standings() -> impl Strategy<Value = Vec<Standing>> {
        let any = prop_oneof![
            Just(Standing::Firing),
            Just(Standing::Over),
            Just(Standing::Hidden),
            Just(Standing::Held),
            Just(Standing::Dropped)
        ];
        prop::collection::vec(any, 5)
    }

    proptest! {
        /// Against what a reader of all messages believes: whoever reads them knows what fires, is told nothing twice, and hears
        /// of the end of what they heard the beginning of.
        #[test]
        fn who_reads_every_message_knows_what_fires(story in prop::collection::vec(standings(), 1..30)) {
            let (mut told, mut told_at, mut believed) = (BTreeSet::new(), None, BTreeSet::new());
            for (n, step) in story.iter().enumerate() {
                let alerts: Vec<_> = step.iter().zip(1..).map(|(standing, n)| (id(n), StandingOf { standing: *standing, acknowledged: false })).collect();
                let now = at(n as i64);
                // what an outage tells of they hear from there
                believed.retain(|known| !alerts.iter().any(|(id, it)| id == known && it.standing == Standing::Dropped));
                let decision = decide(&Group { alerts: alerts.clone(), told: told.clone(), told_at, repeat: None }, now);
                match decision.reason {
                    Some(NotificationReason::First) => prop_assert!(believed.is_empty() && !decision.firing.is_empty()),
                    Some(NotificationReason::Resolved) => prop_assert!(!believed.is_empty() && decision.firing.is_empty()),
                    Some(NotificationReason::Grew) => prop_assert!(decision.firing.difference(&believed).count() > 0),
                    Some(NotificationReason::Shrank) => prop_assert!(decision.firing.is_subset(&believed) && decision.firing != believed),
                    None => prop_assert_eq!(&decision.firing, &believed),
                    other => prop_assert!(false, "{other:?}"),
                }
                if decision.reason.is_some() {
                    believed = decision.firing.clone();
                    told_at = Some(now);
                }
                for (id, it) in &alerts {
                    match it.standing {
                        Standing::Firing => prop_assert!(believed.contains(id), "a firing was missed"),
                        Standing::Over | Standing::Dropped => prop_assert!(!believed.contains(id), "a recovery was missed"),
                        _ => {}
                    }
                }
                told = decision.told;
                prop_assert_eq!(&told, &believed);
                // asked again at once, there is nothing new
                let again = decide(&Group { alerts, told: told.clone(), told_at, repeat: None }, now);
                prop_assert_eq!(again.reason, None);
            }
        }
    }
}
