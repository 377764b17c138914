//! How a screen asks: one question at a time through one kind of resource, asked again whenever something changed.
//!
//! Every screen shares these types on purpose. A resource, its memos and its decoder are generic over what they hold;
//! one enum of answers keeps the browser from downloading them once for each screen.

use crate::{
    calls::{
        self, CallError,
        bulk::BulkView,
        connections::{Facets, Listing, Story},
        issues::{IssueListing, IssueStory},
        overview::{OverviewAnswer, Pulse},
        sources::Sources,
    },
    live::{Flight, Refetch},
    parts::{empty::waiting, refused::refused_screen, time::use_clock},
};
use chrono::{DateTime, Utc};
use leptos::{
    prelude::*,
    serde_json,
    server::codee::{Decoder, Encoder},
    text_prop::TextProp,
};
use model::{ChangeTopic, Connection, ConnectionId, IssueId, Refusal, Source, SourceTest, System};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{future::Future, pin::Pin};
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
    Issues(String),
    Issue(String),
    Wish(String),
    Bulk(String),
    Sources,
    Source(String),
    System,
    Trial(String),
}

impl Question {
    /// What the question is about: another subject starts the screen anew.
    fn subject(&self) -> &str {
        match self {
            Self::Connection { id, .. } | Self::Source(id) | Self::Issue(id) | Self::Bulk(id) => id,
            _ => "",
        }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Nothing,
    Pulse(Pulse),
    Overview(Box<OverviewAnswer>),
    Connections(Box<Listing>),
    Facets(Facets),
    Connection(Box<Story>),
    Issues(Box<IssueListing>),
    Issue(Box<IssueStory>),
    Bulk(Box<BulkView>),
    Sources(Sources),
    System(Box<System>),
    Trial(SourceTest),
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
    pub(crate) fn overview(&self) -> Option<&OverviewAnswer> {
        if let Ok(Answer::Overview(overview)) = &self.result { Some(overview) } else { None }
    }

    pub(crate) fn listing(&self) -> Option<&Listing> {
        if let Ok(Answer::Connections(listing)) = &self.result { Some(listing) } else { None }
    }

    pub(crate) fn story(&self) -> Option<&Story> {
        if let Ok(Answer::Connection(story)) = &self.result { Some(story) } else { None }
    }

    pub(crate) fn issues(&self) -> Option<&IssueListing> {
        if let Ok(Answer::Issues(listing)) = &self.result { Some(listing) } else { None }
    }

    pub(crate) fn issue(&self) -> Option<&IssueStory> {
        if let Ok(Answer::Issue(story)) = &self.result { Some(story) } else { None }
    }

    pub(crate) fn bulk(&self) -> Option<&BulkView> {
        if let Ok(Answer::Bulk(view)) = &self.result { Some(view) } else { None }
    }

    pub(crate) fn sources(&self) -> Option<&Sources> {
        if let Ok(Answer::Sources(sources)) = &self.result { Some(sources) } else { None }
    }

    pub(crate) fn source(&self) -> Option<&Source> {
        self.sources()?.sources.first()
    }

    pub(crate) fn pulse(&self) -> Option<&Pulse> {
        if let Ok(Answer::Pulse(pulse)) = &self.result { Some(pulse) } else { None }
    }

    pub(crate) fn system(&self) -> Option<&System> {
        if let Ok(Answer::System(system)) = &self.result { Some(system) } else { None }
    }

    pub(crate) fn facets(&self) -> Option<&Facets> {
        if let Ok(Answer::Facets(facets)) = &self.result { Some(facets) } else { None }
    }

    /// The rows in the answer.
    pub(crate) fn batch(&self) -> Option<Batch<'_>> {
        match &self.result {
            Ok(Answer::Overview(a)) => Some(Batch { items: &a.overview.worst, strays: &a.strays }),
            Ok(Answer::Connections(a)) => Some(Batch { items: &a.page.items, strays: &a.strays }),
            _ => None,
        }
    }

    /// The ids of the rows in the answer, of whatever they are, in their order.
    pub(crate) fn ids(&self) -> Option<Vec<Uuid>> {
        match &self.result {
            Ok(Answer::Issues(a)) => Some(a.page.items.iter().map(|row| row.id.0).collect()),
            _ => Some(self.batch()?.items.iter().map(|row| row.id.0).collect()),
        }
    }

    /// The server's clock when it answered.
    pub(crate) fn as_of(&self) -> Option<DateTime<Utc>> {
        match self.result.as_ref().ok()? {
            Answer::Overview(overview) => Some(overview.overview.at),
            Answer::Connections(listing) => Some(listing.as_of),
            Answer::Connection(story) => Some(story.as_of),
            Answer::Issues(listing) => Some(listing.as_of),
            Answer::Issue(story) => Some(story.as_of),
            Answer::Bulk(view) => Some(view.as_of),
            Answer::Sources(sources) => Some(sources.as_of),
            Answer::System(system) => Some(system.at),
            _ => None,
        }
    }
}

/// JSON, read as the server functions read it: through bytes, so that each type is decoded by the same code.
pub(crate) struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        serde_json::from_slice(text.as_bytes())
    }
}

/// The rows on a screen and the question that they answer.
pub(crate) type Shown = StoredValue<(Question, Vec<Uuid>)>;

/// Something asked, and asked again.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    got: Resource<Got, Json>,
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
    let connections = |ids: Vec<Uuid>| ids.into_iter().map(ConnectionId).collect();
    let result = match &question {
        Question::Nothing => Ok(Answer::Nothing),
        Question::Pulse => calls::overview::ask_pulse().await.map(Answer::Pulse),
        Question::Overview => {
            calls::overview::ask_overview(connections(shown)).await.map(|a| Answer::Overview(Box::new(a)))
        }
        Question::Connections(query) => {
            let listing = calls::connections::list_connections(query.clone(), connections(shown)).await;
            listing.map(|a| Answer::Connections(Box::new(a)))
        }
        Question::Facets => calls::connections::ask_facets().await.map(Answer::Facets),
        Question::Connection { id, older } => match id.parse() {
            Ok(id) => {
                let story = calls::connections::ask_connection(id, older.clone()).await;
                story.map(|a| Answer::Connection(Box::new(a)))
            }
            Err(_) => Err(Refusal::NotFound("This connection".into()).into()),
        },
        Question::Issues(query) => {
            let shown = shown.into_iter().map(IssueId).collect();
            calls::issues::list_issues(query.clone(), shown).await.map(|a| Answer::Issues(Box::new(a)))
        }
        Question::Issue(id) => match id.parse() {
            Ok(id) => calls::issues::ask_issue(id).await.map(|a| Answer::Issue(Box::new(a))),
            Err(_) => Err(Refusal::NotFound("This issue".into()).into()),
        },
        Question::Wish(wish) => calls::bulk::preview_bulk(wish.clone()).await.map(|a| Answer::Bulk(Box::new(a))),
        Question::Bulk(id) => match id.parse() {
            Ok(id) => calls::bulk::ask_bulk(id).await.map(|a| Answer::Bulk(Box::new(a))),
            Err(_) => Err(Refusal::NotFound("This bulk operation".into()).into()),
        },
        Question::System => calls::overview::ask_system().await.map(|system| Answer::System(Box::new(system))),
        Question::Sources => calls::sources::list_sources().await.map(Answer::Sources),
        Question::Source(id) => match id.parse() {
            Ok(id) => calls::sources::ask_source(id).await.map(Answer::Sources),
            Err(_) => Err(Refusal::NotFound("This source".into()).into()),
        },
        Question::Trial(id) => match id.parse() {
            Ok(id) => calls::sources::test_source(id).await.map(Answer::Trial),
            Err(_) => Err(Refusal::NotFound("This source".into()).into()),
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
    screen_boxed(asked, StoredValue::new(Box::new(draw)))
}

fn screen_boxed(asked: Asked, draw: StoredValue<Draw>) -> AnyView {
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
                    Stand::Refused(error) => refused_screen(error),
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

/// The title of a page. The server writes it last, when what it reads may be gone already; so there it is read at once.
pub(crate) fn title(read: impl Fn() -> String + Send + Sync + 'static) -> TextProp {
    if cfg!(feature = "ssr") { read().into() } else { read.into() }
}
