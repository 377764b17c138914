//! At most so many a second. Pure.

use std::time::Duration;
use tokio::time::Instant;

/// What was not sent in time may be made up for by so much: timers are no finer.
const SLACK: Duration = Duration::from_millis(20);

/// When the next may go.
#[derive(Debug)]
pub(super) struct Pace {
    next: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { next: now }
    }

    /// Takes a turn, or says when there is one.
    pub fn take(&mut self, now: Instant, per_second: Option<u32>) -> Result<(), Instant> {
        let Some(per_second) = per_second.filter(|rate| *rate > 0) else { return Ok(()) };
        if now < self.next {
            return Err(self.next);
        }
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        self.next = self.next.max(earliest) + Duration::from_secs(1) / per_second;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_go_than_allowed_and_hardly_fewer() {
        for rate in [1, 10, 1_000, 10_000] {
            let begin = Instant::now();
            let (mut pace, mut sent) = (Pace::new(begin), 0);
            for millis in 0..2_000 {
                while pace.take(begin + Duration::from_millis(millis), Some(rate)).is_ok() {
                    sent += 1;
                }
            }
            assert!((2 * rate * 9 / 10..=2 * rate + rate / 50 + 1).contains(&sent), "{rate}: {sent}");
        }
        assert!(Pace::new(Instant::now()).take(Instant::now(), None).is_ok());
    }
}
