//! What was looked up a moment ago.

use crate::clock::SharedClock;
use crate::store::session::Hash;
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long something is remembered: so long may somebody act whose session or token has just been taken away elsewhere.
const YOUNG: TimeDelta = TimeDelta::seconds(5);

/// How much is remembered at most.
const ROOM: usize = 10_000;

/// Looked-up things by the hash of what was shown for them. What was *not* found is never remembered: that would be a gift
/// to whoever sends random cookies.
pub(super) struct Remembered<V> {
    clock: SharedClock,
    seen: Mutex<HashMap<Hash, (DateTime<Utc>, V)>>,
}

impl<V: Clone> Remembered<V> {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    /// What was remembered less than five seconds ago.
    pub(super) fn get(&self, hash: &Hash) -> Option<V> {
        let now = self.clock.now();
        self.lock().get(hash).filter(|(at, _)| young(*at, now)).map(|(_, value)| value.clone())
    }

    pub(super) fn put(&self, hash: Hash, value: V) {
        let now = self.clock.now();
        let mut seen = self.lock();
        if seen.len() >= ROOM {
            seen.retain(|_, (at, _)| young(*at, now));
        }
        if seen.len() < ROOM {
            seen.insert(hash, (now, value));
        }
    }

    pub(super) fn forget(&self, hash: &Hash) {
        self.lock().remove(hash);
    }

    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, (DateTime<Utc>, V)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Also false when the clock was set back: then nothing is known about the age.
fn young(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (TimeDelta::zero()..YOUNG).contains(&(now - at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TestClock;

    #[test]
    fn remembers_for_five_seconds() {
        let clock = TestClock::at(DateTime::UNIX_EPOCH);
        let remembered = Remembered::new(clock.clone());
        remembered.put([1; 32], "somebody");
        clock.advance(TimeDelta::milliseconds(4_999));
        assert_eq!(remembered.get(&[1; 32]), Some("somebody"));
        assert_eq!(remembered.get(&[2; 32]), None);
        clock.advance(TimeDelta::milliseconds(1));
        assert_eq!(remembered.get(&[1; 32]), None);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_last_longer() {
        let clock = TestClock::at(DateTime::UNIX_EPOCH);
        let remembered = Remembered::new(clock.clone());
        remembered.put([1; 32], ());
        clock.advance(TimeDelta::seconds(-60));
        assert_eq!(remembered.get(&[1; 32]), None);
    }

    #[test]
    fn has_an_end() {
        let clock = TestClock::at(DateTime::UNIX_EPOCH);
        let remembered = Remembered::new(clock.clone());
        for n in 0..=ROOM {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&(n as u64).to_le_bytes());
            remembered.put(hash, n);
        }
        assert_eq!(remembered.lock().len(), ROOM);
        clock.advance(YOUNG);
        remembered.put([9; 32], 0);
        assert_eq!(remembered.lock().len(), 1);
    }
}
