//! Long pauses of a connection: kept when they are over, so that rules about late syncs and silence can be tried out on the past.
//! Pure.

use super::Known;
use chrono::{DateTime, TimeDelta, Utc};

/// A pause that reached this is kept, whatever the cadence …
pub const LONG: TimeDelta = TimeDelta::hours(4);
/// … and one that reached so many of its cadences.
pub const CADENCES: f64 = 1.5;

/// What did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LullKind {
    /// Good syncs.
    Sync,
    /// Anything: webhooks or good syncs.
    Sign,
}

impl LullKind {
    /// As the database has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Sign => "sign",
        }
    }
}

/// A pause that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lull {
    /// Of what.
    pub kind: LullKind,
    /// When the newest came before it; none: nothing ever had.
    pub since: Option<DateTime<Utc>>,
    /// When we knew of a newer one.
    pub ended_at: DateTime<Utc>,
    /// The connection's cadence meanwhile, in seconds.
    pub cadence: Option<i64>,
}

/// When the newest sign of life came, as far as the connection itself gives any.
fn sign(known: &Known) -> Option<DateTime<Utc>> {
    known.event_at.max(known.pulse.data_at).max(known.last_good_sync_at)
}

/// The long pauses that end with what is known from now on. The first good sync ends none: a rule about late syncs waits for nothing
/// before it.
pub fn ended(before: &Known, after: &Known, cadence: Option<i64>, now: DateTime<Utc>) -> impl Iterator<Item = Lull> {
    let long = |since: DateTime<Utc>| is_long(now - since, cadence);
    let sync = before.last_good_sync_at.filter(|since| after.last_good_sync_at > Some(*since) && long(*since));
    let first = sign(before).is_none() && sign(after).is_some();
    let signs = sign(before).filter(|since| sign(after) > Some(*since) && long(*since));
    let lull = move |kind, since| Lull { kind, since, ended_at: now, cadence };
    let sync = sync.map(|since| lull(LullKind::Sync, Some(since)));
    let signs = signs.map(Some).or_else(|| first.then_some(None)).map(|since| lull(LullKind::Sign, since));
    sync.into_iter().chain(signs)
}

/// Whether a pause of this length is kept.
pub fn is_long(lasted: TimeDelta, cadence: Option<i64>) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a month at most")]
    let cadences = cadence.is_some_and(|cadence| lasted.as_seconds_f64() >= CADENCES * cadence as f64);
    lasted >= LONG || cadences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn only_long_pauses_are_kept_and_the_first_sign() {
        let known = |good: Option<i64>, event: Option<i64>| Known {
            last_good_sync_at: good.map(at),
            event_at: event.map(at),
            ..Known::nothing(at(0))
        };
        let of = |before: &Known, after: &Known, cadence, now| {
            ended(before, after, cadence, at(now)).map(|lull| (lull.kind, lull.since)).collect::<Vec<_>>()
        };
        let good = known(Some(0), None);
        assert_eq!(of(&good, &known(Some(899), None), Some(600), 899), []);
        assert_eq!(
            of(&good, &known(Some(900), None), Some(600), 900),
            [(LullKind::Sync, Some(at(0))), (LullKind::Sign, Some(at(0)))]
        );
        assert_eq!(of(&good, &known(Some(0), Some(890)), Some(600), 900), [(LullKind::Sign, Some(at(0)))]);
        assert_eq!(of(&good, &known(Some(900), None), None, 900), []);
        assert_eq!(of(&good, &good, None, 90_000), [], "it lasts");
        assert_eq!(of(&known(None, None), &known(Some(0), None), None, 10), [(LullKind::Sign, None)]);
    }
}
