//! What changed, said by the server: the change stream turned into signals. Inert on the server.
//!
//! The stream says only *what* changed; a page then asks again through its server function. A lost message costs
//! nothing: whenever the stream opens, everything visible is asked again.

#[cfg(feature = "hydrate")]
mod stream;

use crate::browser;
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Change, ChangeTopic};
use std::{sync::Arc, time::Duration};

/// How the page is connected to what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not connected yet, as every page is when it comes from the server.
    Waiting,
    /// Changes arrive.
    Live,
    /// Nothing arrives; what is shown stands as of this moment.
    Lost(DateTime<Utc>),
}

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// One thing changed, or many of one topic.
    Change(Change),
    /// Something may have been missed: ask for everything that is visible.
    Everything,
}

type Watcher = Arc<dyn Fn(&News) + Send + Sync>;

/// The page's end of the change stream.
#[derive(Clone, Copy)]
pub struct Live {
    link: RwSignal<Link>,
    watchers: StoredValue<Vec<(u32, Watcher)>>,
    last: StoredValue<u32>,
}

/// Puts the page's end of the change stream into the context; nothing is opened yet.
pub fn provide_live() {
    provide_context(Live {
        link: RwSignal::new(Link::Waiting),
        watchers: StoredValue::new(Vec::new()),
        last: StoredValue::new(0),
    });
}

/// The page's end of the change stream.
pub fn use_live() -> Live {
    expect_context()
}

impl Live {
    /// How the page is connected.
    pub fn link(self) -> Link {
        self.link.get()
    }

    /// Opens the stream once the page is alive.
    pub fn start(self) {
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| stream::start(self));
    }

    /// Calls back for all news until the current owner ends.
    fn watch(self, watcher: Watcher) {
        let number = self.last.try_update_value(|last| {
            *last += 1;
            *last
        });
        let number = number.unwrap_or_default();
        self.watchers.update_value(|watchers| watchers.push((number, watcher)));
        on_cleanup(move || {
            self.watchers.try_update_value(|watchers| watchers.retain(|(other, _)| *other != number));
        });
    }

    /// Tells every watcher.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only the browser hears news"))]
    fn tell(self, news: &News) {
        for (_, watcher) in self.watchers.try_get_value().unwrap_or_default() {
            watcher(news);
        }
    }
}

/// Between two questions whose only reason is quiet.
const UNHURRIED: Duration = Duration::from_secs(1);

/// When to ask again: at most one question under way and one waiting; for quiet changes at once, then once a second.
#[derive(Clone, Copy)]
pub struct Refetch {
    round: RwSignal<u32>,
    pace: StoredValue<Pace>,
}

#[derive(Clone, Copy, Default)]
struct Pace {
    under_way: u32,
    again: bool,
    /// When the last question left.
    left: Option<DateTime<Utc>>,
    /// A quiet change waits for its second to pass.
    waiting: bool,
}

/// A question under way; dropped when it is answered or given up.
pub struct Flight(Refetch);

impl Refetch {
    /// Asks again whenever something of these topics changes.
    pub fn on(topics: &'static [ChangeTopic]) -> Self {
        Self::when(move |change| topics.contains(&change.topic))
    }

    /// Asks again whenever a change is of interest.
    pub fn when(interest: impl Fn(&Change) -> bool + Send + Sync + 'static) -> Self {
        let this = Self::by_hand();
        use_live().watch(Arc::new(move |news| match news {
            News::Change(change) if !interest(change) => {}
            News::Change(change) if change.quiet => this.nudge_unhurried(),
            _ => this.nudge(),
        }));
        this
    }

    /// Asks again also every so often, while somebody looks.
    pub fn every(self, pause: Duration) -> Self {
        Effect::new(move |_| {
            let ticks = set_interval_with_handle(
                move || {
                    if browser::is_looked_at() {
                        self.nudge()
                    }
                },
                pause,
            )
            .ok();
            on_cleanup(move || {
                if let Some(ticks) = ticks {
                    ticks.clear()
                }
            });
        });
        self
    }

    /// Asks again only when told to.
    pub fn by_hand() -> Self {
        Self { round: RwSignal::new(0), pace: StoredValue::new(Pace::default()) }
    }

    /// For the source of a resource: a number that grows when it is time to ask again.
    pub fn round(self) -> u32 {
        self.round.get()
    }

    /// Asks again, now or as soon as the question under way is answered.
    pub fn nudge(self) {
        let now = self.pace.try_update_value(|pace| {
            pace.again = pace.under_way > 0;
            !pace.again
        });
        if now == Some(true) {
            self.round.try_update(|round| *round += 1);
        }
    }

    /// Asks again, but not within a second of the last question.
    fn nudge_unhurried(self) {
        let wait = self.pace.try_update_value(|pace| {
            // A clock that was set back gives no age: then at once.
            let age = browser::now().zip(pace.left).and_then(|(now, left)| (now - left).to_std().ok());
            let wait = age.map_or(Duration::ZERO, |age| UNHURRIED.saturating_sub(age));
            let waits_already = std::mem::replace(&mut pace.waiting, !wait.is_zero());
            (!waits_already || wait.is_zero()).then_some(wait)
        });
        match wait.flatten() {
            None => {}
            Some(Duration::ZERO) => self.nudge(),
            Some(wait) => set_timeout(
                move || {
                    if self.pace.try_update_value(|pace| std::mem::take(&mut pace.waiting)) == Some(true) {
                        self.nudge_unhurried();
                    }
                },
                wait,
            ),
        }
    }

    /// For the fetcher of a resource: marks a question as under way.
    pub fn depart(self) -> Flight {
        self.pace.try_update_value(|pace| {
            pace.under_way += 1;
            (pace.left, pace.waiting) = (browser::now(), false);
        });
        Flight(self)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let again = self.0.pace.try_update_value(|pace| {
            pace.under_way = pace.under_way.saturating_sub(1);
            pace.under_way == 0 && std::mem::take(&mut pace.again)
        });
        if again == Some(true) {
            self.0.round.try_update(|round| *round += 1);
        }
    }
}
