//! What must have been told by a webhook and was not. Pure: which webhook tells of what, and until when there is time.
//!
//! A poll that shows a new good sync or another state has found something that a webhook should have told. Until the end of a
//! window that webhook is only expected; after it, it is missed, and the poll has repaired what it would have told.

use chrono::{DateTime, TimeDelta, Utc};
use model::ConnectionId;
use uuid::Uuid;

/// How long a webhook is waited for, unless the settings say otherwise: what decides is `store::gap::step`.
pub const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Two times of one sync may differ by this much: upstream rounds.
pub const SAME: TimeDelta = TimeDelta::seconds(5);

/// What a webhook would have told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapKind {
    /// A sync ended well.
    SyncCompleted,
    /// The connection went offline or online, or changed in another way.
    StatusChanged,
    /// The customer must sign in again.
    ReauthorizationRequired,
}

impl GapKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::SyncCompleted, Self::StatusChanged, Self::ReauthorizationRequired];

    /// The word in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SyncCompleted => "sync_completed",
            Self::StatusChanged => "status_changed",
            Self::ReauthorizationRequired => "reauthorization_required",
        }
    }
}

impl std::str::FromStr for GapKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.code() == text).ok_or_else(|| format!("“{text}” is no kind of gap"))
    }
}

/// What a poll has found and no webhook had told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Of which connection.
    pub connection: ConnectionId,
    /// What.
    pub kind: GapKind,
    /// The end of the sync; of any other change, the time of the poll that was the first to show it.
    pub happened_at: DateTime<Utc>,
}

/// What a webhook has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// Of which connection.
    pub connection: ConnectionId,
    /// What.
    pub kind: GapKind,
    /// The end of the sync; of any other change, the webhook's own time.
    pub at: DateTime<Utc>,
}

/// An expectation as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its id.
    pub id: Uuid,
    /// What is expected.
    pub expected: Expected,
    /// The end of its window.
    pub due_at: DateTime<Utc>,
    /// When it was missed.
    pub missed_at: Option<DateTime<Utc>>,
    /// When it came after all.
    pub came_at: Option<DateTime<Utc>>,
}

/// What follows for these gaps, all of them open or missed, from a webhook that is here `now`: the changed one. A webhook of a
/// sync tells of the sync that ended at its time. Any other tells of the first poll after it: a later one shows a later change.
pub fn fulfil(gaps: &mut [Gap], came: Came, window: TimeDelta, now: DateTime<Utc>) -> Option<Gap> {
    let after = |gap: &Gap| gap.expected.happened_at - came.at;
    let tells = |gap: &Gap| {
        let same = gap.expected.connection == came.connection && gap.expected.kind == came.kind;
        let near = match came.kind {
            GapKind::SyncCompleted => after(gap).abs() <= SAME,
            GapKind::StatusChanged | GapKind::ReauthorizationRequired => {
                (-SAME..=window.max(SAME)).contains(&after(gap))
            }
        };
        gap.came_at.is_none() && same && near
    };
    let gap = gaps.iter_mut().filter(|gap| tells(gap)).min_by_key(|gap| (after(gap).abs(), gap.id))?;
    gap.came_at = Some(now);
    if now > gap.due_at {
        gap.missed_at.get_or_insert(gap.due_at);
    }
    Some(*gap)
}

/// Its window has ended without it.
pub fn is_missed(gap: &Gap, now: DateTime<Utc>) -> bool {
    gap.missed_at.is_none() && gap.came_at.is_none() && gap.due_at <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn gap(n: u128, kind: GapKind, happened: i64) -> Gap {
        let connection = ConnectionId(Uuid::nil());
        Gap {
            id: Uuid::from_u128(n),
            expected: Expected { connection, kind, happened_at: at(happened) },
            due_at: at(happened) + WINDOW,
            missed_at: None,
            came_at: None,
        }
    }

    fn came(kind: GapKind, seconds: i64) -> Came {
        Came { connection: ConnectionId(Uuid::nil()), kind, at: at(seconds) }
    }

    #[test]
    fn a_change_is_told_of_by_the_webhook_before_the_poll_that_showed_it() {
        let kind = GapKind::StatusChanged;
        let mut gaps = [gap(1, kind, 100), gap(2, kind, 160)];
        let told =
            |gaps: &mut [Gap], seconds| fulfil(gaps, came(kind, seconds), WINDOW, at(170)).map(|gap| gap.id.as_u128());
        assert_eq!(told(&mut gaps, 140), Some(2));
        assert_eq!(told(&mut gaps, 80), Some(1));
        assert_eq!(told(&mut gaps, 80), None, "once");
        assert_eq!(told(&mut [gap(1, kind, 100)], 105), Some(1), "clocks differ a little");
        assert_eq!(told(&mut [gap(1, kind, 100)], 106), None, "it happened after that poll");
        assert_eq!(told(&mut [gap(1, kind, 1_000)], 399), None, "too long before it");
        assert_eq!(told(&mut [gap(1, GapKind::SyncCompleted, 100)], 100), None, "another kind");
    }

    #[test]
    fn a_kind_is_read_back_from_its_word() {
        for kind in GapKind::ALL {
            assert_eq!(kind.code().parse(), Ok(kind));
        }
        assert!("nothing".parse::<GapKind>().is_err());
    }

    #[test]
    fn what_comes_after_its_window_was_missed_and_came_all_the_same() {
        let kind = GapKind::SyncCompleted;
        let late = fulfil(&mut [gap(1, kind, 0)], came(kind, 4), WINDOW, at(601)).unwrap();
        assert_eq!((late.missed_at, late.came_at), (Some(at(600)), Some(at(601))));
        let in_time = fulfil(&mut [gap(1, kind, 0)], came(kind, -5), WINDOW, at(600)).unwrap();
        assert_eq!((in_time.missed_at, in_time.came_at), (None, Some(at(600))));
    }

    proptest! {
        /// Syncs at least 20 s apart, each found by a poll. Their webhooks come in any order, late, more than once or not at all,
        /// with times that differ a little. Missed is exactly what did not come within its window.
        #[test]
        fn missed_is_what_did_not_come_in_time(
            syncs in prop::collection::vec(prop::collection::vec((0..1_200i64, -5..=5i64), 0..4), 1..12),
        ) {
            let kind = GapKind::SyncCompleted;
            let mut gaps: Vec<_> = (0..syncs.len()).map(|n| gap(n as u128, kind, n as i64 * 20)).collect();
            let mut arrivals: Vec<_> = syncs
                .iter()
                .enumerate()
                .flat_map(|(n, copies)| copies.iter().map(move |(delay, off)| (n as i64 * 20 + delay, n as i64 * 20 + off)))
                .collect();
            arrivals.sort_unstable();
            for (now, own) in arrivals {
                // now and then the step is on time, now and then it is not
                if now % 2 == 0 {
                    gaps.iter_mut().filter(|gap| is_missed(gap, at(now))).for_each(|gap| gap.missed_at = Some(gap.due_at));
                }
                fulfil(&mut gaps, came(kind, own), WINDOW, at(now));
            }
            let end = at(1_000_000);
            gaps.iter_mut().filter(|gap| is_missed(gap, end)).for_each(|gap| gap.missed_at = Some(gap.due_at));
            for (gap, copies) in gaps.iter().zip(&syncs) {
                let first = copies.iter().map(|(delay, _)| *delay).min();
                let in_time = first.is_some_and(|delay| delay < 600) || (first == Some(600) && gap.missed_at.is_none());
                prop_assert_eq!(gap.missed_at.is_none(), in_time, "{:?} {:?}", gap, copies);
                prop_assert_eq!(gap.came_at, first.map(|delay| gap.expected.happened_at + TimeDelta::seconds(delay)));
            }
        }
    }
}
