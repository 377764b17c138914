//! How a screen asks: one question at a time through one kind of resource, asked again whenever something changed.
//!
//! Every screen shares these types on purpose. A resource and its memos are generic over what they hold; one type of answer,
//! which knows only bytes until a screen reads it, keeps the browser from loading what the screen before it does not need.
//! A new question is a variant of [`Question`], a line in `get` and a reader beside those of [`Got`].

mod answer;

pub(crate) use answer::{Answer, InPage};

use crate::{
    calls::{
        CallError,
        alerts::{AlertAsk, AlertsView, AskAlerts, AskTold, AskToldOfOutage},
        bulk::{AskBulk, BulkView, PreviewBulk},
        connections::{AskConnection, AskFacets, Facets, ListConnections, Listing, Story},
        customers::{AskCustomer, CustomerAnswer, Customers, ListCustomers},
        endpoints::{AskEndpoint, EndpointStory, Endpoints, ListEndpoints, TestEndpoint},
        events::{AskEvent, EventListing, EventStory, ListEvents, RevealEvent},
        failures::{AskFailure, FailureListing, ListFailures, Opened},
        history::{AskHistory, History},
        issues::{AskIssue, IssueListing, IssueStory, ListIssues},
        overview::{AskOverview, AskPulse, AskSystem, OverviewAnswer, Pulse},
        retention::{AskMakiniDeliveries, AskRetention, MakiniDeliveries, RetentionView},
        retries::{AskRetry, PreviewRetry, RetryView},
        sources::{AskSource, ListSources, Sources, TestSource},
        views::{ListViews, Views},
    },
    live::{Flight, Refetch},
    parts::{
        empty::waiting,
        refused::{refused_note, refused_screen},
        time::use_clock,
    },
};
use answer::put;
use chrono::{DateTime, Utc};
use leptos::{prelude::*, text_prop::TextProp};
use model::{
    ChangeTopic, Connection, ConnectionId, IssueId, Refusal, Revealed, Role, Sent, Source, SourceTest, System, Told,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{future::Future, pin::Pin, time::Duration};
use uuid::Uuid;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    Nothing,
    Pulse,
    Overview,
    Connections(String),
    Facets,
    Connection { id: String, older: Option<String> },
    History { id: String, days: u16, synced: Option<String> },
    Customers(String),
    Customer(String),
    Views,
    Issues(String),
    Issue(String),
    Wish(String),
    Bulk(String),
    Sources,
    Source(String),
    System,
    Trial(String),
    Failures(String),
    Failure(String),
    Revealed(String),
    RetryWish(String),
    Retry(String),
    Events(String),
    Event(String),
    Endpoints,
    Endpoint(String),
    EndpointTrial(String),
    Retention,
    MakiniDeliveries { id: String, cursor: Option<String> },
    Alerts(AlertAsk),
    Told(String),
    ToldOfOutage(String),
}

impl Question {
    /// What the question is about: another subject starts the screen anew.
    fn subject(&self) -> &str {
        match self {
            Self::Connection { id, .. } | Self::History { id, .. } => id,
            Self::Customer(id) | Self::Source(id) | Self::Issue(id) | Self::Bulk(id) => id,
            Self::Failure(id) | Self::Retry(id) | Self::Event(id) | Self::Endpoint(id) => id,
            Self::MakiniDeliveries { id, .. } => id,
            Self::Alerts(ask) => ask.subject(),
            _ => "",
        }
    }
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Got {
    pub question: Question,
    pub result: Result<Answer, CallError>,
}

/// The newest answer; none until there is one.
pub(crate) type Latest = Signal<Option<Got>>;

/// Rows as they should stand now, and rows that were shown and have left.
pub(crate) struct Batch<'a> {
    pub items: &'a [Connection],
    pub strays: &'a [Connection],
}

impl Got {
    /// The answer to a question of this kind.
    fn read<T: DeserializeOwned + Send + Sync + 'static>(&self, of_this_kind: bool) -> Option<&T> {
        self.result.as_ref().ok().filter(|_| of_this_kind)?.read()
    }

    pub(crate) fn overview(&self) -> Option<&OverviewAnswer> {
        self.read(matches!(self.question, Question::Overview))
    }

    pub(crate) fn listing(&self) -> Option<&Listing> {
        self.read(matches!(self.question, Question::Connections(_)))
    }

    pub(crate) fn story(&self) -> Option<&Story> {
        self.read(matches!(self.question, Question::Connection { .. }))
    }

    pub(crate) fn history(&self) -> Option<&History> {
        self.read(matches!(self.question, Question::History { .. }))
    }

    pub(crate) fn customers(&self) -> Option<&Customers> {
        self.read(matches!(self.question, Question::Customers(_)))
    }

    pub(crate) fn customer(&self) -> Option<&CustomerAnswer> {
        self.read(matches!(self.question, Question::Customer(_)))
    }

    pub(crate) fn views(&self) -> Option<&Views> {
        self.read(matches!(self.question, Question::Views))
    }

    pub(crate) fn issues(&self) -> Option<&IssueListing> {
        self.read(matches!(self.question, Question::Issues(_)))
    }

    pub(crate) fn issue(&self) -> Option<&IssueStory> {
        self.read(matches!(self.question, Question::Issue(_)))
    }

    pub(crate) fn bulk(&self) -> Option<&BulkView> {
        self.read(matches!(self.question, Question::Wish(_) | Question::Bulk(_)))
    }

    pub(crate) fn sources(&self) -> Option<&Sources> {
        self.read(matches!(self.question, Question::Sources | Question::Source(_)))
    }

    pub(crate) fn source(&self) -> Option<&Source> {
        self.sources()?.sources.first()
    }

    pub(crate) fn trial(&self) -> Option<&SourceTest> {
        self.read(matches!(self.question, Question::Trial(_)))
    }

    pub(crate) fn alerts(&self) -> Option<&AlertsView> {
        self.read(matches!(self.question, Question::Alerts(_)))
    }

    pub(crate) fn told(&self) -> Option<&(DateTime<Utc>, Vec<Told>)> {
        self.read(matches!(self.question, Question::Told(_) | Question::ToldOfOutage(_)))
    }

    pub(crate) fn pulse(&self) -> Option<&Pulse> {
        self.read(matches!(self.question, Question::Pulse))
    }

    pub(crate) fn system(&self) -> Option<&System> {
        self.read(matches!(self.question, Question::System))
    }

    pub(crate) fn facets(&self) -> Option<&Facets> {
        self.read(matches!(self.question, Question::Facets))
    }

    pub(crate) fn failures(&self) -> Option<&FailureListing> {
        self.read(matches!(self.question, Question::Failures(_)))
    }

    pub(crate) fn failure(&self) -> Option<&Opened> {
        self.read(matches!(self.question, Question::Failure(_)))
    }

    pub(crate) fn revealed(&self) -> Option<&Revealed> {
        self.read(matches!(self.question, Question::Revealed(_)))
    }

    pub(crate) fn retry(&self) -> Option<&RetryView> {
        self.read(matches!(self.question, Question::RetryWish(_) | Question::Retry(_)))
    }

    pub(crate) fn events(&self) -> Option<&EventListing> {
        self.read(matches!(self.question, Question::Events(_)))
    }

    pub(crate) fn event(&self) -> Option<&EventStory> {
        self.read(matches!(self.question, Question::Event(_)))
    }

    pub(crate) fn endpoints(&self) -> Option<&Endpoints> {
        self.read(matches!(self.question, Question::Endpoints))
    }

    pub(crate) fn endpoint(&self) -> Option<&EndpointStory> {
        self.read(matches!(self.question, Question::Endpoint(_)))
    }

    pub(crate) fn endpoint_trial(&self) -> Option<&Sent> {
        self.read(matches!(self.question, Question::EndpointTrial(_)))
    }

    pub(crate) fn retention(&self) -> Option<&RetentionView> {
        self.read(matches!(self.question, Question::Retention))
    }

    pub(crate) fn makini_deliveries(&self) -> Option<&MakiniDeliveries> {
        self.read(matches!(self.question, Question::MakiniDeliveries { .. }))
    }

    /// The rows in the answer.
    pub(crate) fn batch(&self) -> Option<Batch<'_>> {
        if let Some(a) = self.overview() {
            return Some(Batch { items: &a.overview.worst, strays: &a.strays });
        }
        if let Some(a) = self.customer() {
            return Some(Batch { items: &a.page.items, strays: &a.strays });
        }
        self.listing().map(|a| Batch { items: &a.page.items, strays: &a.strays })
    }

    /// The ids of the rows in the answer, of whatever they are, in their order.
    pub(crate) fn ids(&self) -> Option<Vec<Uuid>> {
        if let Some(a) = self.issues() {
            return Some(a.page.items.iter().map(|row| row.id.0).collect());
        }
        if let Some(a) = self.failures() {
            return Some(a.page.items.iter().map(|row| row.id).collect());
        }
        Some(self.batch()?.items.iter().map(|row| row.id.0).collect())
    }

    /// What who asked may do.
    pub(crate) fn role(&self) -> Option<Role> {
        self.result.as_ref().ok()?.role()
    }

    /// The server's clock when it answered.
    pub(crate) fn as_of(&self) -> Option<DateTime<Utc>> {
        self.result.as_ref().ok()?.as_of()
    }
}

/// The rows on a screen and the question that they answer.
pub(crate) type Shown = StoredValue<(Question, Vec<Uuid>)>;

/// Something asked, and asked again.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    got: Resource<Got, InPage>,
    /// The same, read directly. Lives as long as the whole page, because its title is written last.
    direct: Latest,
    /// The rows on the screen: they are asked for even when they have left the page.
    pub shown: Shown,
    /// Asks again when told to.
    pub refetch: Refetch,
}

/// Asks.
pub(crate) fn ask(question: impl Fn() -> Question + Send + Sync + 'static, refetch: Refetch) -> Asked {
    ask_boxed(Box::new(question), refetch, no_rows())
}

/// Asks for rows: again when something of these topics changes, but for times alone only if a row that is shown has them.
pub(crate) fn ask_rows(
    question: impl Fn() -> Question + Send + Sync + 'static,
    topics: &'static [ChangeTopic],
) -> Asked {
    let shown = no_rows();
    let refetch = Refetch::when(move |change| {
        let is_shown = || {
            let has = |ids: &[Uuid]| {
                !ids.is_empty() && (change.id == "*" || ids.iter().any(|id| id.to_string() == change.id))
            };
            shown.try_with_value(|(_, ids)| has(ids)).unwrap_or_default()
        };
        topics.contains(&change.topic) && (!change.quiet || is_shown())
    });
    ask_boxed(Box::new(question), refetch, shown)
}

/// Asks for rows of which there may be thousands a second: at once when one that is shown changes, for all else once in a while.
pub(crate) fn ask_calmly(question: impl Fn() -> Question + Send + Sync + 'static, every: Duration) -> Asked {
    let shown = no_rows();
    let refetch = Refetch::when(move |change| {
        shown.try_with_value(|(_, ids)| ids.iter().any(|id| id.to_string() == change.id)).unwrap_or_default()
    });
    ask_boxed(Box::new(question), refetch.every(every), shown)
}

fn no_rows() -> Shown {
    StoredValue::new((Question::Nothing, Vec::new()))
}

fn ask_boxed(question: Box<dyn Fn() -> Question + Send + Sync>, refetch: Refetch, shown: Shown) -> Asked {
    let source = move || (question(), refetch.round());
    let fetch = move |(question, _)| -> Pin<Box<dyn Future<Output = Got> + Send>> {
        let ids = shown.try_get_value().filter(|(other, _)| *other == question).map(|(_, ids)| ids);
        Box::pin(get(question, ids.unwrap_or_default(), refetch.depart()))
    };
    let got = Resource::new_with_options(source, fetch, false);
    Asked { got, direct: Signal::derive(move || got.get()), shown, refetch }
}

async fn get(question: Question, shown: Vec<Uuid>, flight: Flight) -> Got {
    let unknown = |what: &str| Err(Refusal::NotFound(what.into()).into());
    let connections = |ids: Vec<Uuid>| ids.into_iter().map(ConnectionId).collect();
    let result = match question.clone() {
        Question::Nothing => Ok(Answer::nothing()),
        Question::Pulse => put(AskPulse {}).await,
        Question::Overview => put(AskOverview { shown: connections(shown) }).await,
        Question::Connections(query) => put(ListConnections { query, shown: connections(shown) }).await,
        Question::Facets => put(AskFacets {}).await,
        Question::Connection { id, older } => match id.parse() {
            Ok(id) => put(AskConnection { id, older }).await,
            Err(_) => unknown("This connection"),
        },
        Question::History { id, days, synced } => match id.parse() {
            Ok(id) => put(AskHistory { id, days, synced }).await,
            Err(_) => unknown("This connection"),
        },
        Question::Customers(query) => put(ListCustomers { query }).await,
        Question::Customer(id) => match id.parse() {
            Ok(id) => put(AskCustomer { id, shown: connections(shown) }).await,
            Err(_) => unknown("This customer"),
        },
        Question::Views => put(ListViews {}).await,
        Question::System => put(AskSystem {}).await,
        Question::Sources => put(ListSources {}).await,
        Question::Issues(query) => put(ListIssues { query, shown: shown.into_iter().map(IssueId).collect() }).await,
        Question::Issue(id) => match id.parse() {
            Ok(id) => put(AskIssue { id }).await,
            Err(_) => unknown("This issue"),
        },
        Question::Wish(wish) => put(PreviewBulk { wish }).await,
        Question::Bulk(id) => match id.parse() {
            Ok(id) => put(AskBulk { id }).await,
            Err(_) => unknown("This bulk operation"),
        },
        Question::Source(id) => match id.parse() {
            Ok(id) => put(AskSource { id }).await,
            Err(_) => unknown("This source"),
        },
        Question::Trial(id) => match id.parse() {
            Ok(id) => put(TestSource { id }).await,
            Err(_) => unknown("This source"),
        },
        Question::Failures(query) => put(ListFailures { query, shown }).await,
        Question::Failure(of) => put(AskFailure { of }).await,
        Question::Revealed(id) => match id.parse() {
            Ok(id) => put(RevealEvent { id }).await,
            Err(_) => unknown("This event"),
        },
        Question::RetryWish(wish) => put(PreviewRetry { wish }).await,
        Question::Retry(id) => match id.parse() {
            Ok(id) => put(AskRetry { id }).await,
            Err(_) => unknown("This retry"),
        },
        Question::Events(query) => put(ListEvents { query }).await,
        Question::Event(id) => match id.parse() {
            Ok(id) => put(AskEvent { id }).await,
            Err(_) => unknown("This event"),
        },
        Question::Endpoints => put(ListEndpoints {}).await,
        Question::Endpoint(id) => match id.parse() {
            Ok(id) => put(AskEndpoint { id }).await,
            Err(_) => unknown("This endpoint"),
        },
        Question::EndpointTrial(id) => match id.parse() {
            Ok(id) => put(TestEndpoint { id }).await,
            Err(_) => unknown("This endpoint"),
        },
        Question::Retention => put(AskRetention {}).await,
        Question::MakiniDeliveries { id, cursor } => match id.parse() {
            Ok(id) => put(AskMakiniDeliveries { id, cursor }).await,
            Err(_) => unknown("This source"),
        },
        Question::Alerts(ask) => put(AskAlerts { ask }).await,
        Question::Told(id) => match id.parse() {
            Ok(id) => put(AskTold { id }).await,
            Err(_) => unknown("This connection"),
        },
        Question::ToldOfOutage(id) => match id.parse() {
            Ok(id) => put(AskToldOfOutage { id }).await,
            Err(_) => unknown("This outage"),
        },
    };
    drop(flight);
    Got { question, result }
}

impl Asked {
    /// The answer as it comes. Call it inside the `<Transition>` that waits for it.
    pub(crate) fn got(self) -> Option<Got> {
        self.got.get()
    }

    /// The newest answer; the last good one stays when a later asking fails through no fault of the question. Call it
    /// inside the `<Transition>` that waits for it.
    pub(crate) fn latest(self) -> Latest {
        // On the server an answer arrives on another thread, and a memo may not have heard of it yet when the page is written;
        // there is only one answer there, so nothing is lost by reading it directly.
        if cfg!(feature = "ssr") {
            return self.direct;
        }
        let clock = use_clock();
        let latest = Memo::new(move |before: Option<&Option<Got>>| {
            let new = self.got.get()?;
            match (&new.result, before.and_then(Option::as_ref)) {
                (Err(error), Some(good))
                    if matches!(error.refusal, Refusal::Unavailable(_) | Refusal::Internal(_))
                        && good.result.is_ok()
                        && good.question == new.question =>
                {
                    Some(good.clone())
                }
                _ => Some(new),
            }
        });
        Effect::new(move |_| {
            if let Some(as_of) = latest.with(|got| got.as_ref().and_then(Got::as_of)) {
                clock.learn(as_of);
            }
        });
        latest.into()
    }
}

/// Draws a screen from the newest answer.
type Draw = Box<dyn Fn(Latest) -> AnyView + Send + Sync>;

/// Draws a part of a screen.
type DrawPart = Box<dyn Fn(&Got) -> AnyView + Send + Sync>;

#[derive(Clone, PartialEq)]
enum Stand {
    Waiting,
    Refused(CallError),
    Ready(String),
}

/// A whole screen that rests on one question: drawn once for each subject, then each part follows the newest answer.
pub(crate) fn screen(asked: Asked, draw: impl Fn(Latest) -> AnyView + Send + Sync + 'static) -> AnyView {
    screen_boxed(asked, StoredValue::new(Box::new(draw)), refused_screen)
}

/// The same beside something else: what is refused is a note.
pub(crate) fn beside(asked: Asked, draw: impl Fn(Latest) -> AnyView + Send + Sync + 'static) -> AnyView {
    screen_boxed(asked, StoredValue::new(Box::new(draw)), |error| refused_note(&error))
}

fn screen_boxed(asked: Asked, draw: StoredValue<Draw>, refused: fn(CallError) -> AnyView) -> AnyView {
    view! {
        <Transition fallback=waiting>
            {
                let latest = asked.latest();
                let stands = move || latest.with(|got| match got {
                    None => Stand::Waiting,
                    Some(Got { result: Err(error), .. }) => Stand::Refused(error.clone()),
                    Some(Got { question, .. }) => Stand::Ready(question.subject().to_owned()),
                });
                let stand = if cfg!(feature = "ssr") { Signal::derive(stands) } else { Memo::new(move |_| stands()).into() };
                move || match stand.get() {
                    Stand::Waiting => ().into_any(),
                    Stand::Refused(error) => refused(error),
                    Stand::Ready(_) => draw.with_value(|draw| draw(latest)),
                }
            }
        </Transition>
    }
    .into_any()
}

/// A part of a screen that draws the newest good answer again whenever it changes.
pub(crate) fn part(latest: Latest, draw: impl Fn(&Got) -> AnyView + Send + Sync + 'static) -> AnyView {
    part_boxed(latest, Box::new(draw))
}

fn part_boxed(latest: Latest, draw: DrawPart) -> AnyView {
    (move || latest.with(|got| got.as_ref().filter(|got| got.result.is_ok()).map(&draw))).into_any()
}

/// Whether the person may do what takes this role. A screen asks once, when it is drawn: what would be refused is not offered.
pub(crate) fn may(latest: Latest, role: Role) -> bool {
    latest.with_untracked(|got| got.as_ref().and_then(Got::role).is_some_and(|own| own >= role))
}

/// The title of a page. The server writes it last, when what it reads may be gone already; so there it is read at once.
pub(crate) fn title(read: impl Fn() -> String + Send + Sync + 'static) -> TextProp {
    if cfg!(feature = "ssr") { read().into() } else { read.into() }
}
