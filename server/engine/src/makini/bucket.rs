//! A token bucket: how often we may ask. Pure; time is handed in as the time since some beginning.

use std::time::Duration;

/// The most that may be asked at once.
const BURST: f64 = 10.0;

/// Places are given out in order, each with how long to wait for it.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: f64,
    burst: f64,
    /// Below zero: that many already wait.
    left: f64,
    at: Duration,
}

impl Bucket {
    /// This many a minute, never fewer than one.
    pub(super) fn new(per_minute: u32) -> Self {
        let per_minute = f64::from(per_minute.max(1));
        let burst = (per_minute / 6.0).clamp(1.0, BURST);
        Self { per_second: per_minute / 60.0, burst, left: burst, at: Duration::ZERO }
    }

    /// How long one would have to wait now.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        let missing = 1.0 - self.left_at(now);
        if missing <= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(missing / self.per_second) }
    }

    /// Takes a place and says how long to wait for it; takes none when that is longer than `most`.
    pub(super) fn take(&mut self, now: Duration, most: Duration) -> Result<Duration, Duration> {
        let wait = self.wait(now);
        if wait > most {
            return Err(wait);
        }
        self.left = self.left_at(now) - 1.0;
        self.at = now.max(self.at);
        Ok(wait)
    }

    fn left_at(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        (self.left + passed * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_burst_then_one_at_a_time() {
        let mut bucket = Bucket::new(60);
        for _ in 0..10 {
            assert_eq!(bucket.take(Duration::ZERO, MINUTE), Ok(Duration::ZERO));
        }
        assert_eq!(bucket.take(Duration::ZERO, MINUTE), Ok(Duration::from_secs(1)));
        assert_eq!(bucket.take(Duration::ZERO, MINUTE), Ok(Duration::from_secs(2)));
        assert_eq!(bucket.take(Duration::ZERO, Duration::from_secs(2)), Err(Duration::from_secs(3)), "takes no place");
        assert_eq!(bucket.wait(Duration::from_secs(3)), Duration::ZERO);
        assert_eq!(Bucket::new(0).take(Duration::ZERO, MINUTE), Ok(Duration::ZERO), "none at all would be for ever");
    }

    proptest! {
        #[test]
        fn no_minute_ever_sees_more_than_the_rate_and_a_burst(
            rate in 1..2_000u32,
            steps in prop::collection::vec(0..3_000u64, 1..400),
        ) {
            let mut bucket = Bucket::new(rate);
            let (mut now, mut sent) = (Duration::ZERO, Vec::new());
            for step in steps {
                now += Duration::from_millis(step);
                if let Ok(wait) = bucket.take(now, Duration::from_secs(30)) {
                    prop_assert!(wait <= Duration::from_secs(30));
                    sent.push(now + wait);
                }
            }
            for (at, begin) in sent.iter().enumerate() {
                let within = sent[at..].iter().filter(|time| **time < *begin + MINUTE).count();
                prop_assert!(within <= rate as usize + 11, "{within} in a minute at {rate}");
            }
            prop_assert!(sent.is_sorted(), "places are given out in order");
        }

        #[test]
        fn time_running_backward_gives_nothing_away(first in 0..1_000u64, second in 0..1_000u64) {
            let mut bucket = Bucket::new(1);
            let (first, second) = (Duration::from_secs(first), Duration::from_secs(second));
            prop_assert_eq!(bucket.take(first, MINUTE), Ok(Duration::ZERO));
            let wait = bucket.wait(second);
            prop_assert!(second >= first || (wait.as_secs_f64() - 60.0).abs() < 1e-6, "{wait:?}");
        }
    }
}
