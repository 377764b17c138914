//! Relative times that never disagree between server and browser: until the page is alive "now" is the server's clock at
//! the time of the answer; then it is the browser's clock, corrected by how far it is off.

use super::text;
use crate::browser;
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use leptos::prelude::*;
use std::time::Duration;

/// The page's clock.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// The browser's time at the last tick; none until the page is alive.
    here: RwSignal<Option<DateTime<Utc>>>,
    /// The server's clock minus the browser's.
    ahead: RwSignal<Option<TimeDelta>>,
}

/// A moment to measure from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Now.
    pub now: DateTime<Utc>,
    /// Whether exact times are said in the person's zone.
    pub local: bool,
}

/// Puts the clock into the context; it ticks once the page is alive.
pub(crate) fn provide_clock() {
    let clock = Clock { here: RwSignal::new(None), ahead: RwSignal::new(None) };
    provide_context(clock);
    Effect::new(move |_| {
        let tick = move || clock.here.set(browser::now());
        tick();
        set_interval(tick, Duration::from_secs(10));
    });
}

/// The page's clock.
pub(crate) fn use_clock() -> Clock {
    expect_context()
}

impl Clock {
    /// Now, for an answer that was given at `as_of`.
    pub(crate) fn moment(self, as_of: DateTime<Utc>) -> Moment {
        match self.here.get() {
            Some(here) => {
                let now = here + self.ahead.get().unwrap_or_default();
                Moment { now: now.max(as_of), local: true }
            }
            None => Moment { now: as_of, local: false },
        }
    }

    /// Whether the page is alive.
    pub(crate) fn is_ticking(self) -> bool {
        self.here.with(Option::is_some)
    }

    /// Learns from an answer how far the browser's clock is off; small differences are the way here.
    pub(crate) fn learn(self, as_of: DateTime<Utc>) {
        let Some(here) = browser::now() else { return };
        let ahead = as_of - here;
        let far = self.ahead.get_untracked().is_none_or(|known| (known - ahead).abs() > TimeDelta::seconds(2));
        if far {
            self.ahead.set(Some(ahead));
        }
        self.here.set(Some(here));
    }
}

impl Moment {
    /// How long ago in seconds; what lies ahead is zero.
    pub(crate) fn age(self, at: DateTime<Utc>) -> i64 {
        (self.now - at).num_seconds().max(0)
    }

    /// “14 min ago”.
    pub(crate) fn ago(self, at: DateTime<Utc>) -> AnyView {
        self.time(at, ago(self.age(at)))
    }

    /// “14 min”.
    pub(crate) fn since(self, at: DateTime<Utc>) -> AnyView {
        self.time(at, text::span(self.age(at)))
    }

    /// “in 40 s”, or “now”.
    pub(crate) fn until(self, at: DateTime<Utc>) -> AnyView {
        let ahead = (at - self.now).num_seconds();
        self.time(at, if ahead > 0 { format!("in {}", text::span(ahead)) } else { "now".to_owned() })
    }

    /// The exact time: in the person's zone once the page is alive, in UTC before.
    pub(crate) fn exact(self, at: DateTime<Utc>) -> String {
        self.local.then(|| browser::local_time(at)).flatten().unwrap_or_else(|| utc(at))
    }

    fn time(self, at: DateTime<Utc>, words: String) -> AnyView {
        view! { <time datetime=iso(at) title=self.exact(at)>{words}</time> }.into_any()
    }
}

/// “14 min ago”.
pub(crate) fn ago(seconds: i64) -> String {
    if seconds < 1 { "just now".to_owned() } else { format!("{} ago", text::span(seconds)) }
}

/// For machines.
pub(crate) fn iso(at: DateTime<Utc>) -> String {
    format!("{}T{:02}:{:02}:{:02}Z", at.date_naive(), at.hour(), at.minute(), at.second())
}

/// For people who see the page before it is alive.
pub(crate) fn utc(at: DateTime<Utc>) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.get(at.month0() as usize).copied().unwrap_or_default();
    format!("{} {month} {}, {:02}:{:02}:{:02} UTC", at.day(), at.year(), at.hour(), at.minute(), at.second())
}
