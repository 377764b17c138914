//! How fast changes are said: the first at once, then what came meanwhile every 250 ms, each thing once.

use engine::live::Numbered;
use model::ChangeTopic;
use std::{collections::HashMap, time::Duration};
use tokio::time::{Instant, sleep_until};

/// Between two tellings.
const BREATH: Duration = Duration::from_millis(250);

/// Gathers changes until it is time to say them.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: HashMap<(ChangeTopic, String), Numbered>,
    next: Option<Instant>,
    said: u64,
}

impl Pace {
    /// Takes a change; gives back what is to be said at once.
    pub(super) fn hear(&mut self, change: Numbered, now: Instant) -> Vec<Numbered> {
        if change.n <= self.said {
            return Vec::new(); // it was among what was missed
        }
        self.gather(change);
        if self.next.is_some() { Vec::new() } else { self.flush(now) }
    }

    /// What was missed, each thing once, to be said at once.
    pub(super) fn at_once(&mut self, missed: Vec<Numbered>, now: Instant) -> Vec<Numbered> {
        missed.into_iter().for_each(|change| self.gather(change));
        self.flush(now)
    }

    /// The newest change of each thing, quiet only if all were.
    fn gather(&mut self, mut change: Numbered) {
        let thing = (change.change.topic, change.change.id.clone());
        if let Some(before) = self.waiting.get(&thing) {
            change.change.quiet &= before.change.quiet;
        }
        self.waiting.insert(thing, change);
    }

    /// Waits until it is time to say what has gathered; for ever if there is nothing to wait for.
    pub(super) async fn due(&self) {
        match self.next {
            Some(next) => sleep_until(next).await,
            None => std::future::pending().await,
        }
    }

    /// What has gathered, in order. If that is something, what comes next waits for a breath.
    pub(super) fn flush(&mut self, now: Instant) -> Vec<Numbered> {
        let mut told: Vec<_> = self.waiting.drain().map(|(_, change)| change).collect();
        told.sort_unstable_by_key(|change| change.n);
        self.next = told.last().map(|last| {
            self.said = last.n;
            now + BREATH
        });
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Change;

    fn change(n: u64, id: &str) -> Numbered {
        Numbered { n, change: Change::new(ChangeTopic::Connection, id, n as i64) }
    }

    fn numbers(told: &[Numbered]) -> Vec<u64> {
        told.iter().map(|change| change.n).collect()
    }

    #[test]
    fn the_first_at_once_then_the_newest_of_each_after_a_breath() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        assert_eq!(numbers(&pace.hear(change(1, "a"), now)), [1]);
        for (n, id) in [(2, "a"), (3, "b"), (4, "a")] {
            assert!(pace.hear(change(n, id), now).is_empty());
        }
        now += BREATH;
        assert_eq!(pace.next, Some(now));
        assert_eq!(numbers(&pace.flush(now)), [3, 4]);
        assert!(pace.hear(change(5, "c"), now).is_empty(), "still within a breath of the last telling");
        now += BREATH;
        assert_eq!(numbers(&pace.flush(now)), [5]);
        now += BREATH;
        assert!(pace.flush(now).is_empty());
        assert_eq!(numbers(&pace.hear(change(6, "c"), now)), [6], "quiet again, so at once again");
    }

    #[test]
    fn a_loud_change_is_not_hushed_by_a_later_quiet_one() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.hear(change(1, "b"), now);
        pace.hear(change(2, "a"), now);
        let quiet = Numbered { n: 3, change: Change::quiet(ChangeTopic::Connection, "a", 3) };
        pace.hear(quiet, now);
        let told = pace.flush(now + BREATH);
        assert!(matches!(&told[..], [one] if one.n == 3 && !one.change.quiet), "{told:?}");
    }

    #[test]
    fn what_was_missed_is_not_said_twice() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(numbers(&pace.at_once(vec![change(7, "a"), change(8, "a")], now)), [8]);
        assert!(pace.hear(change(8, "a"), now).is_empty());
        assert!(pace.flush(now + BREATH).is_empty());
        assert_eq!(numbers(&pace.hear(change(9, "a"), now + BREATH)), [9]);
    }
}
