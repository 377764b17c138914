//! How fast changes are said: the first at once, then what came meanwhile every 250 ms, each thing once.

use engine::live::Numbered;
use model::ChangeTopic;
use std::{collections::HashMap, time::Duration};
use tokio::time::{Instant, sleep_until};

/// Between two tellings.
const BREATH: Duration = Duration::from_millis(250);

/// Gathers changes until it is time to say them. Each topic has a breath of its own: that a webhook came must not hold back
/// what it changed.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: HashMap<(ChangeTopic, String), Numbered>,
    /// When each topic that was said lately may be said again.
    next: HashMap<ChangeTopic, Instant>,
    /// What was missed ends here.
    missed: u64,
}

impl Pace {
    /// Takes a change; gives back what is to be said at once.
    pub(super) fn hear(&mut self, change: Numbered, now: Instant) -> Vec<Numbered> {
        if change.n <= self.missed {
            return Vec::new(); // it was among what was missed
        }
        self.gather(change);
        self.flush(now)
    }

    /// What was missed, each thing once, to be said at once.
    pub(super) fn at_once(&mut self, missed: Vec<Numbered>, now: Instant) -> Vec<Numbered> {
        self.missed = missed.iter().map(|change| change.n).max().unwrap_or_default();
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
        match self.waiting.keys().filter_map(|(topic, _)| self.next.get(topic)).min() {
            Some(next) => sleep_until(*next).await,
            None => std::future::pending().await,
        }
    }

    /// What has gathered of the topics whose breath is over, in order. What comes next of them waits for another.
    pub(super) fn flush(&mut self, now: Instant) -> Vec<Numbered> {
        self.next.retain(|_, next| *next > now);
        let (waits, told): (HashMap<_, _>, HashMap<_, _>) =
            self.waiting.drain().partition(|((topic, _), _)| self.next.contains_key(topic));
        self.waiting = waits;
        self.next.extend(told.keys().map(|(topic, _)| (*topic, now + BREATH)));
        let mut told: Vec<_> = told.into_values().collect();
        told.sort_unstable_by_key(|change| change.n);
        told
    }

    /// Up to where everything has been said: who comes back with this misses nothing.
    pub(super) fn said(&self, told: &Numbered) -> u64 {
        self.waiting.values().map(|waiting| waiting.n - 1).fold(told.n, u64::min)
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
        assert_eq!(pace.next.get(&ChangeTopic::Connection), Some(&now));
        assert_eq!(numbers(&pace.flush(now)), [3, 4]);
        assert!(pace.hear(change(5, "c"), now).is_empty(), "still within a breath of the last telling");
        now += BREATH;
        assert_eq!(numbers(&pace.flush(now)), [5]);
        now += BREATH;
        assert!(pace.flush(now).is_empty());
        assert_eq!(numbers(&pace.hear(change(6, "c"), now)), [6], "quiet again, so at once again");
    }

    #[test]
    fn topics_do_not_wait_for_each_other_and_nothing_is_missed_by_who_comes_back() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let event = |n| Numbered { n, change: Change::new(ChangeTopic::Event, "e", 0) };
        assert_eq!(numbers(&pace.hear(event(1), now)), [1]);
        assert!(pace.hear(event(2), now).is_empty());
        let told = pace.hear(change(3, "a"), now);
        assert_eq!(numbers(&told), [3], "at once, although events hold their breath");
        assert_eq!(pace.said(&told[0]), 1, "2 has not been said yet");
        let told = pace.flush(now + BREATH);
        assert_eq!((numbers(&told), pace.said(&told[0])), (vec![2], 2));
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
