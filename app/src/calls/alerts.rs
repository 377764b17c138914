//! What the screens of alerts ask and do. They are one area and ask through one door, so that a browser loads one reader.

mod acts;
#[cfg(feature = "ssr")]
mod find;
#[cfg(feature = "ssr")]
mod words;

pub use acts::*;

use super::{CallError, Said, Wire};
#[cfg(feature = "ssr")]
use super::{answer, as_of, desk};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{
    Alert, Channel, ConnectionId, Explanation, Maintenance, Notification, OutageId, Page, Preview, Role, Route, Rule,
    RuleChange, Silence, Told,
};
use serde::{Deserialize, Serialize};

/// What a screen of alerts asks. Each text is what its address says: the end of its path, and what stands after `?`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlertAsk {
    /// Alerts.
    Firing(String),
    /// Every rule.
    Rules,
    /// One rule, or a new one, with what its form says.
    Rule(String),
    /// What the rule would have done that a form says.
    Preview(String),
    /// Silences and maintenance.
    Silences,
    /// A new silence: what it would mute.
    Silence(String),
    /// New maintenance.
    Maintenance,
    /// The routes, and why something goes where it goes.
    Routes(String),
    /// One route, or a new one.
    Route(String),
    /// The channels.
    Channels,
    /// One channel, or a new one.
    Channel(String),
    /// Messages.
    Log(String),
    /// One message.
    Notification(String),
}

impl AlertAsk {
    /// What it is about: another one is another form.
    pub fn subject(&self) -> &str {
        match self {
            Self::Rule(at) | Self::Route(at) | Self::Channel(at) | Self::Notification(at) => at,
            _ => "",
        }
    }
}

/// Values with their words.
pub type Choices = Vec<(String, String)>;

/// What can be chosen from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Slugs of platforms.
    pub platforms: Choices,
    /// Ids of sources.
    pub sources: Choices,
    /// Ids of rules.
    pub rules: Choices,
    /// Ids of channels.
    pub channels: Choices,
}

/// What a screen of alerts shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertsView {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// What the person may do.
    pub role: Role,
    /// The rest.
    pub body: AlertBody,
}

/// What one of the screens shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AlertBody {
    /// Alerts, those that fire first and worst first; and what was asked for.
    Firing(Page<Alert>, Said),
    /// Every rule.
    Rules(Vec<Rule>),
    /// One rule.
    Rule(Box<RuleView>),
    /// What a rule would have done; or why that cannot be said.
    Preview(Result<Preview, String>),
    /// Silences, and maintenance with its words.
    Silences(Vec<Silence>, Vec<(Maintenance, String)>),
    /// What a new silence would mute.
    Silence(SilenceView),
    /// What new maintenance can be chosen from.
    Maintenance(Known),
    /// The routes.
    Routes(RoutesView),
    /// One route: none for a new one; its form; what can be chosen from.
    Route(Option<Route>, Said, Known),
    /// The channels.
    Channels(Vec<Channel>),
    /// One channel: none for a new one; what can be chosen from; the signing secret of one just made, told once.
    Channel(Option<Channel>, Known, Option<String>),
    /// Messages; the state and the channel that were asked for; the channels.
    Log(Page<Notification>, Said, Choices),
    /// One message, and the alerts that it tells of.
    Notification(Box<Notification>, Vec<Alert>),
}

/// A rule, and the form that changes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleView {
    /// As it is stored; none for a new one.
    pub rule: Option<Rule>,
    /// What the form begins with.
    pub form: Said,
    /// What can be chosen from.
    pub known: Known,
    /// What was changed on it, newest first.
    pub changes: Vec<RuleChange>,
}

/// A silence that is not there yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SilenceView {
    /// Which alerts, as the address says it.
    pub matching: String,
    /// The same, by field.
    pub chosen: Said,
    /// The same in words, and how many it would mute now; or why that cannot be said.
    pub mutes: Result<(String, u64), String>,
    /// What can be chosen from.
    pub known: Known,
}

/// The routes, and the way of one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutesView {
    /// Each with what it takes, and whom it tells, in words.
    pub routes: Vec<(Route, String, String)>,
    /// Alerts to choose from.
    pub alerts: Choices,
    /// What can be chosen from.
    pub known: Known,
    /// What was asked.
    pub asked: Said,
    /// Why it goes where it goes, and the names of its channels; none where nothing was asked.
    pub way: Option<Result<(Explanation, Vec<String>), String>>,
}

/// Asks for a screen of alerts.
#[server(prefix = "/_app", endpoint = "alerts", protocol = Wire)]
pub async fn ask_alerts(ask: AlertAsk) -> Result<AlertsView, CallError> {
    let (desk, actor) = desk()?;
    let body = answer(find::body(&*desk, &actor, ask, as_of()).await)?;
    Ok(AlertsView { as_of: as_of(), role: actor.role, body })
}

/// Who was told of a connection, and the server's clock.
#[server(prefix = "/_app", endpoint = "told", protocol = Wire)]
pub async fn ask_told(id: ConnectionId) -> Result<(DateTime<Utc>, Vec<Told>), CallError> {
    let (desk, actor) = desk()?;
    Ok((as_of(), answer(desk.told(&actor, id).await)?))
}

/// Who was told of an outage, and the server's clock.
#[server(prefix = "/_app", endpoint = "told-of-outage", protocol = Wire)]
pub async fn ask_told_of_outage(id: OutageId) -> Result<(DateTime<Utc>, Vec<Told>), CallError> {
    let (desk, actor) = desk()?;
    Ok((as_of(), answer(desk.told_of_outage(&actor, id).await)?))
}
