//! How often we may ask one upstream, and when not at all: a rate of our own, pauses that upstream asks for, a circuit.

use super::{bucket::Bucket, circuit::Circuit, retry_after};
use crate::{
    clock::SharedClock,
    makini::{ErrorClass, UpstreamError},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Nobody waits for longer than this inside; whoever would is told when to come again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to pause where upstream says that we ask too often, but not for how long; then twice as long each time …
const UNSAID: Duration = Duration::from_secs(5);
/// … up to this.
const UNSAID_MOST: Duration = Duration::from_secs(60);
/// When this many connections are limited at once, the account is.
const KEYS_ARE_ALL: usize = 3;
/// What is left of a pause that counts as over: timers and the clock do not agree to the microsecond.
const OVER: TimeDelta = TimeDelta::milliseconds(50);

/// Whether upstream is being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// It is.
    Closed,
    /// It failed too often in a row; it is left alone for a while.
    Open,
    /// It is being asked once, to see whether it is back.
    Probing,
}

/// How often we may ask, for the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetState {
    /// Whether upstream is being asked.
    pub circuit: CircuitState,
    /// Until when it is left alone.
    pub open_until: Option<DateTime<Utc>>,
    /// Until when upstream wants us to pause.
    pub paused_until: Option<DateTime<Utc>>,
    /// When the next request may be sent; in the past or now: at once.
    pub next_allowed_at: DateTime<Utc>,
    /// Faults of upstream in a row.
    pub faults: u32,
    /// Requests a minute that we allow ourselves.
    pub rate_per_minute: u32,
}

/// How an exchange went, for the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Upstream answered, whatever it was.
    Answered,
    /// Upstream failed: 5xx, time-out, no connection.
    Failed,
    /// It never got there.
    Unsent,
}

/// What an outcome did to the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    None,
    /// Opened it until then, after so many faults in a row.
    Opened(DateTime<Utc>, u32),
    /// Closed it.
    Closed,
}

/// One upstream's budget.
pub(super) struct Budget {
    clock: SharedClock,
    rate_per_minute: u32,
    /// The rate is kept on a clock that nobody can set.
    begin: Instant,
    state: Mutex<State>,
}

struct State {
    bucket: Bucket,
    circuit: Circuit,
    paused_until: Option<DateTime<Utc>>,
    /// Pauses of single connections: most limits are per connection.
    keys: HashMap<String, DateTime<Utc>>,
    /// Times in a row that upstream said too often, but not for how long.
    unsaid: u32,
}

impl Budget {
    /// A budget of this many requests a minute.
    pub(super) fn new(rate_per_minute: u32, clock: SharedClock) -> Self {
        let state = State {
            bucket: Bucket::new(rate_per_minute),
            circuit: Circuit::new(),
            paused_until: None,
            keys: HashMap::new(),
            unsaid: 0,
        };
        Self { clock, rate_per_minute, begin: Instant::now(), state: Mutex::new(state) }
    }

    /// Waits until one may ask, about this connection if any. Whoever is let in must [`report`](Self::report).
    ///
    /// # Errors
    /// `CircuitOpen`; `RateLimited` where the wait would be longer than 30 s. Both say when to come again.
    pub(super) async fn enter(&self, key: Option<&str>) -> Result<(), UpstreamError> {
        let wait = self.reserve(key)?;
        if !wait.is_zero() {
            tracing::debug!(wait_ms = wait.as_millis() as u64, "waiting for the rate that upstream allows");
            tokio::time::sleep(wait).await;
        }
        self.admit(key)
    }

    /// Takes a place in the queue and says how long to wait for it.
    fn reserve(&self, key: Option<&str>) -> Result<Duration, UpstreamError> {
        let (now, mut state) = (self.clock.now(), self.state());
        state.circuit.check(now).map_err(|until| circuit_open(until - now))?;
        let paused = state.pause(key, now);
        let most = PATIENCE.checked_sub(paused).ok_or_else(|| rate_limited(paused))?;
        let queued = state.bucket.take(self.begin.elapsed().saturating_add(paused), most);
        queued.map(|wait| paused + wait).map_err(|wait| rate_limited(paused + wait))
    }

    /// Lets one in whose time has come, unless upstream has meanwhile asked for a pause or gone down.
    fn admit(&self, key: Option<&str>) -> Result<(), UpstreamError> {
        let (now, mut state) = (self.clock.now(), self.state());
        let paused = state.pause(key, now + OVER);
        if !paused.is_zero() {
            return Err(rate_limited(paused));
        }
        state.circuit.enter(now).map_err(|until| circuit_open(until - now))
    }

    /// Says how it went.
    pub(super) fn report(&self, outcome: Outcome) -> Turn {
        let (now, mut state) = (self.clock.now(), self.state());
        match outcome {
            Outcome::Answered if state.circuit.answered() => Turn::Closed,
            Outcome::Answered => Turn::None,
            Outcome::Failed => match state.circuit.failed(now, rand::random()) {
                Some(until) => Turn::Opened(until, state.circuit.faults()),
                None => Turn::None,
            },
            Outcome::Unsent => {
                state.circuit.unsent(now);
                Turn::None
            }
        }
    }

    /// Upstream wants us to pause: for this connection, or altogether. Says for how long we do.
    pub(super) fn pause(&self, key: Option<&str>, wanted: Option<Duration>) -> Duration {
        let (now, mut state) = (self.clock.now(), self.state());
        let pause = match wanted {
            Some(wanted) => wanted.min(retry_after::LONGEST),
            None => {
                state.unsaid = state.unsaid.saturating_add(1);
                UNSAID.saturating_mul(1 << (state.unsaid - 1).min(8)).min(UNSAID_MOST)
            }
        };
        // A little later than asked, each process another little: not all at the same moment.
        let pause = pause + pause.mul_f64(rand::random::<f64>() / 10.0).min(Duration::from_secs(5));
        let until = now + TimeDelta::from_std(pause).unwrap_or_default();
        state.keys.retain(|_, until| *until > now);
        match key {
            Some(key) if state.keys.len() + 1 < KEYS_ARE_ALL || state.keys.contains_key(key) => {
                state.keys.insert(key.to_owned(), until);
            }
            _ => state.paused_until = state.paused_until.max(Some(until)),
        }
        pause
    }

    /// An answer that was no complaint.
    pub(super) fn content(&self) {
        self.state().unsaid = 0;
    }

    /// For the screen.
    pub(super) fn view(&self) -> BudgetState {
        let (now, state) = (self.clock.now(), self.state());
        let open_until = state.circuit.open_until();
        let circuit = match open_until {
            Some(_) => CircuitState::Open,
            None if state.circuit.is_probing() => CircuitState::Probing,
            None => CircuitState::Closed,
        };
        let paused_until = state.paused_until.filter(|until| *until > now);
        let by_rate = now + TimeDelta::from_std(state.bucket.wait(self.begin.elapsed())).unwrap_or_default();
        let next_allowed_at = [open_until, paused_until].into_iter().flatten().fold(by_rate, DateTime::max);
        let (faults, rate_per_minute) = (state.circuit.faults(), self.rate_per_minute);
        BudgetState { circuit, open_until, paused_until, next_allowed_at, faults, rate_per_minute }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is left of the pauses that concern this connection.
    fn pause(&self, key: Option<&str>, now: DateTime<Utc>) -> Duration {
        let of_key = key.and_then(|key| self.keys.get(key)).copied();
        let until = self.paused_until.max(of_key);
        until.and_then(|until| (until - now).to_std().ok()).unwrap_or_default()
    }
}

fn rate_limited(wait: Duration) -> UpstreamError {
    let message = format!("Waiting for {} s, so as not to ask Makini more often than it allows.", seconds(wait));
    UpstreamError { retry_after: Some(wait), ..UpstreamError::new(ErrorClass::RateLimited, message) }
}

fn circuit_open(wait: TimeDelta) -> UpstreamError {
    let wait = wait.to_std().unwrap_or_default();
    let message = format!("Makini failed several times in a row; Linewatch asks it again in {} s.", seconds(wait));
    UpstreamError { retry_after: Some(wait), ..UpstreamError::new(ErrorClass::CircuitOpen, message) }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TestClock;
    use std::sync::Arc;

    const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

    fn budget(rate: u32) -> (Arc<TestClock>, Budget) {
        let clock = TestClock::at("2026-11-22T12:00:00Z".parse().unwrap());
        (clock.clone(), Budget::new(rate, clock))
    }

    fn class<T>(result: Result<T, UpstreamError>) -> Option<ErrorClass> {
        result.err().map(|error| error.class)
    }

    #[test]
    fn short_waits_happen_inside_and_long_ones_are_told() {
        let (_, budget) = budget(6);
        let waits: Vec<_> = (0..6).map(|_| budget.reserve(None)).collect();
        for (wait, tens) in waits.iter().zip(0..) {
            match wait {
                Ok(wait) => {
                    assert!(tens <= 3 && wait.abs_diff(Duration::from_secs(tens * 10)).as_secs() < 1, "{waits:?}")
                }
                Err(error) => {
                    assert!(tens > 2 && error.class == ErrorClass::RateLimited, "{waits:?}");
                    assert!(error.retry_after.is_some_and(|wait| wait > Duration::from_secs(29)));
                }
            }
        }
        assert!(waits[2].is_ok() && waits[4].is_err());
    }

    #[tokio::test]
    async fn a_short_pause_is_waited_out() {
        let (clock, budget) = budget(60_000);
        budget.pause(None, Some(Duration::from_millis(40)));
        let begin = Instant::now();
        let (entered, ()) = tokio::join!(budget.enter(None), async {
            clock.advance(TimeDelta::seconds(1));
        });
        assert_eq!(entered, Ok(()));
        assert!(begin.elapsed() >= Duration::from_millis(40));
        budget.pause(None, Some(Duration::from_secs(31)));
        assert_eq!(class(budget.enter(None).await), Some(ErrorClass::RateLimited));
    }

    #[test]
    fn a_pause_of_one_connection_is_not_one_of_all_until_many_are() {
        let (clock, budget) = budget(60_000);
        budget.pause(Some("a"), MINUTE);
        budget.pause(Some("a"), MINUTE);
        budget.pause(Some("b"), MINUTE);
        assert_eq!(class(budget.reserve(Some("a"))), Some(ErrorClass::RateLimited));
        assert_eq!(class(budget.reserve(Some("c"))), None);
        assert_eq!((class(budget.reserve(None)), budget.view().paused_until), (None, None));
        budget.pause(Some("c"), MINUTE);
        assert_eq!(class(budget.reserve(None)), Some(ErrorClass::RateLimited), "now it is the account");
        assert!(budget.view().paused_until.is_some());
        clock.advance(TimeDelta::seconds(70));
        assert_eq!(class(budget.reserve(Some("a"))), None);
        assert_eq!(budget.view().paused_until, None);
    }

    #[test]
    fn pauses_grow_where_upstream_does_not_say_for_how_long() {
        let (_, budget) = budget(600);
        let pauses: Vec<_> = (0..6).map(|_| budget.pause(None, None).as_secs()).collect();
        for (pause, least) in pauses.iter().zip([5, 10, 20, 40, 60, 60]) {
            assert!((least..=least + least / 10).contains(pause), "{pauses:?}");
        }
        budget.content();
        assert_eq!(budget.pause(None, None).as_secs(), 5);
    }

    #[test]
    fn a_pause_that_comes_while_one_waits_still_counts() {
        let (_, budget) = budget(60_000);
        assert_eq!(budget.reserve(None), Ok(Duration::ZERO));
        budget.pause(None, MINUTE);
        assert_eq!(class(budget.admit(None)), Some(ErrorClass::RateLimited));
    }

    #[tokio::test]
    async fn faults_close_the_door_and_one_probe_opens_it() {
        let (clock, budget) = budget(60_000);
        for _ in 0..5 {
            budget.enter(None).await.unwrap();
            budget.report(Outcome::Failed);
        }
        let view = budget.view();
        assert_eq!((view.circuit, view.faults), (CircuitState::Open, 5));
        assert_eq!(Some(view.next_allowed_at), view.open_until);
        let error = budget.enter(None).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::CircuitOpen);
        assert!(error.retry_after.is_some_and(|wait| wait >= Duration::from_secs(5)));
        clock.advance(TimeDelta::seconds(7));
        assert_eq!(budget.enter(None).await, Ok(()));
        assert_eq!(budget.view().circuit, CircuitState::Probing);
        assert_eq!(class(budget.enter(None).await), Some(ErrorClass::CircuitOpen));
        budget.report(Outcome::Answered);
        assert_eq!((budget.enter(None).await, budget.view().circuit), (Ok(()), CircuitState::Closed));
    }
}
