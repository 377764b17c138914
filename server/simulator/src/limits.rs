//! How many requests a minute: one fixed window a token, and one for each fault that says so.

use crate::clock::{Moment, between};
use std::collections::HashMap;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);
/// From here on windows that are over are swept out.
const SWEEP_AT: usize = 4096;

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    /// The requests of one token.
    Token(String),
    /// The requests that one fault is about.
    Fault(u64),
}

/// The windows that are open.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    windows: HashMap<Bucket, Window>,
}

#[derive(Debug)]
struct Window {
    opened: Moment,
    count: u32,
}

impl Limits {
    /// Counts a request; when it is one too many, says how long to wait.
    pub(crate) fn take(&mut self, bucket: Bucket, a_minute: u32, now: Moment) -> Result<(), Duration> {
        if self.windows.len() >= SWEEP_AT {
            self.windows.retain(|_, window| between(window.opened, now) < WINDOW);
        }
        let window = self.windows.entry(bucket).or_insert(Window { opened: now, count: 0 });
        if between(window.opened, now) >= WINDOW {
            *window = Window { opened: now, count: 0 };
        }
        if window.count >= a_minute {
            return Err(WINDOW.saturating_sub(between(window.opened, now)));
        }
        window.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn the_window_closes_and_opens_again() {
        let now = clock::now();
        let mut limits = Limits::default();
        let bucket = Bucket::Token("t".to_owned());
        assert!(limits.take(bucket.clone(), 2, now).is_ok());
        assert!(limits.take(bucket.clone(), 2, now).is_ok());
        let later = now + Duration::from_secs(20);
        assert_eq!(limits.take(bucket.clone(), 2, later), Err(Duration::from_secs(40)));
        assert!(limits.take(Bucket::Fault(1), 2, later).is_ok(), "buckets do not share");
        assert!(limits.take(bucket, 2, now + WINDOW).is_ok());
        assert!(limits.take(Bucket::Fault(2), 0, now).is_err());
    }
}
