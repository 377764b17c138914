//! What the screens of alerts ask and do. They are one area and ask through one door, so that a browser loads one reader.

#[cfg(feature = "ssr")]
mod find;
#[cfg(feature = "ssr")]
mod words;

use super::{CallError, Said, Wire};
#[cfg(feature = "ssr")]
use super::{
    answer, answer_form, as_of, desk,
    forms::read_alerts as read,
    history::{decode, set_cookie},
    send_on,
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{
    Alert, AlertId, Channel, ChannelId, ConnectionId, Explanation, Maintenance, MaintenanceId, Notification,
    NotificationId, Page, Preview, Role, Route, RouteId, Rule, RuleChange, RuleId, Silence, SilenceId, Told,
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
    /// Channels that fail: id and name.
    pub broken: Choices,
    /// The rest.
    pub body: AlertBody,
}

/// What one of the screens shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AlertBody {
    /// Alerts, those that fire first and worst first; and the state that was asked for.
    Firing(Page<Alert>, String),
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
    let channels = desk.channels(&actor).await.unwrap_or_default().into_iter();
    let broken = channels.filter(|c| c.enabled && c.failing_since.is_some()).map(|c| (c.id.to_string(), c.name));
    Ok(AlertsView { as_of: as_of(), role: actor.role, broken: broken.collect(), body })
}

/// Who was told of a connection, and the server's clock.
#[server(prefix = "/_app", endpoint = "told", protocol = Wire)]
pub async fn ask_told(id: ConnectionId) -> Result<(DateTime<Utc>, Vec<Told>), CallError> {
    let (desk, actor) = desk()?;
    Ok((as_of(), answer(desk.told(&actor, id).await)?))
}

/// Takes an alert.
#[server(prefix = "/_app", endpoint = "acknowledge-alert")]
pub async fn acknowledge_alert(id: AlertId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.acknowledge_alert(&actor, id).await).map(drop)
}

/// Adds a rule, or changes the one that the form names.
#[server(prefix = "/_app", endpoint = "save-rule")]
pub async fn save_rule(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let customers = answer_form(find::customers(&*desk, &actor, &form).await, form.kept())?;
    let new = answer_form(read::rule(&form, customers), form.kept())?;
    let rule = match form.one("id").parse() {
        Ok(id) => desk.change_rule(&actor, id, read::rule_patch(new, &form)).await,
        Err(_) => desk.add_rule(&actor, new).await,
    };
    let rule = answer_form(rule, form.kept())?;
    send_on(&format!("/alerts/rules/{}?saved={}", rule.id, rule.version));
    Ok(())
}

/// Switches a rule on or off.
#[server(prefix = "/_app", endpoint = "switch-rule")]
pub async fn switch_rule(id: RuleId, version: i64, enabled: bool) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = model::RulePatch { enabled: Some(enabled), version: Some(version), ..Default::default() };
    answer(desk.change_rule(&actor, id, patch).await).map(drop)
}

/// Takes a rule away.
#[server(prefix = "/_app", endpoint = "remove-rule")]
pub async fn remove_rule(id: RuleId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_rule(&actor, id).await)?;
    send_on("/alerts/rules");
    Ok(())
}

/// Adds a silence.
#[server(prefix = "/_app", endpoint = "add-silence")]
pub async fn add_silence(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let ends_at = answer_form(read::until(&form, as_of()), form.kept())?;
    let new = model::NewSilence {
        matching: answer_form(find::matching(form.one("matching")), form.kept())?,
        reason: form.one("reason").to_owned(),
        starts_at: None,
        ends_at,
        dry_run: false,
    };
    answer_form(desk.add_silence(&actor, new).await, form.kept())?;
    send_on("/alerts/silences");
    Ok(())
}

/// Ends a silence now.
#[server(prefix = "/_app", endpoint = "end-silence")]
pub async fn end_silence(id: SilenceId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.end_silence(&actor, id).await)
}

/// Adds maintenance.
#[server(prefix = "/_app", endpoint = "add-maintenance")]
pub async fn add_maintenance(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let customers = answer_form(find::customers(&*desk, &actor, &form).await, form.kept())?;
    let new = answer_form(read::maintenance(&form, customers, as_of()), form.kept())?;
    answer_form(desk.add_maintenance(&actor, new).await, form.kept())?;
    send_on("/alerts/silences");
    Ok(())
}

/// Ends maintenance now.
#[server(prefix = "/_app", endpoint = "end-maintenance")]
pub async fn end_maintenance(id: MaintenanceId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.end_maintenance(&actor, id).await)
}

/// Adds a route, or changes the one that the form names.
#[server(prefix = "/_app", endpoint = "save-route")]
pub async fn save_route(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let customers = answer_form(find::customers(&*desk, &actor, &form).await, form.kept())?;
    let new = answer_form(read::route(&form, customers), form.kept())?;
    let route = match form.one("id").parse() {
        Ok(id) => desk.change_route(&actor, id, read::route_patch(new, &form)).await,
        Err(_) => desk.add_route(&actor, new).await,
    };
    answer_form(route, form.kept())?;
    send_on("/alerts/routes");
    Ok(())
}

/// Gives a route another place.
#[server(prefix = "/_app", endpoint = "move-route")]
pub async fn move_route(id: RouteId, version: i64, position: i32) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let patch = model::RoutePatch { position: Some(position), version: Some(version), ..Default::default() };
    answer(desk.change_route(&actor, id, patch).await).map(drop)
}

/// Takes a route away.
#[server(prefix = "/_app", endpoint = "remove-route")]
pub async fn remove_route(id: RouteId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_route(&actor, id).await)?;
    send_on("/alerts/routes");
    Ok(())
}

/// Adds a channel, or changes the one that the form names. A signing secret is told once, as the address of a link is.
#[server(prefix = "/_app", endpoint = "save-channel")]
pub async fn save_channel(form: Said) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let new = answer_form(read::channel(&form), form.kept())?;
    let channel = match form.one("id").parse() {
        Ok(id) => desk.change_channel(&actor, id, read::channel_patch(new, &form)).await,
        Err(_) => desk.add_channel(&actor, new).await,
    };
    let channel = answer_form(channel, form.kept())?;
    if let Some(secret) = &channel.secret {
        let told = format!("{}.{}", channel.id, crate::parts::text::encode(secret));
        set_cookie(&format!("made_secret={told}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"));
    }
    send_on(&format!("/alerts/channels/{}?saved={}", channel.id, channel.version));
    Ok(())
}

/// The signing secret of the channel that was just made; it is not told again.
#[cfg(feature = "ssr")]
fn secret_told_once(id: ChannelId) -> Option<String> {
    let parts = use_context::<http::request::Parts>()?;
    let cookies = parts.headers.get(http::header::COOKIE)?.to_str().ok()?;
    let told = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("made_secret="))?;
    let secret = decode(told.strip_prefix(&format!("{id}."))?)?;
    set_cookie("made_secret=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    Some(secret)
}

/// Takes a channel away.
#[server(prefix = "/_app", endpoint = "remove-channel")]
pub async fn remove_channel(id: ChannelId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.remove_channel(&actor, id).await)?;
    send_on("/alerts/channels");
    Ok(())
}

/// Sends a sample; what the other side answered is the refusal where it did not arrive.
#[server(prefix = "/_app", endpoint = "test-channel")]
pub async fn test_channel(id: ChannelId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let sent = answer(desk.test_channel(&actor, id).await)?;
    if sent.state != model::NotificationState::Sent {
        let why = sent.attempts.into_iter().rev().find_map(|attempt| attempt.error);
        let why = why.map_or_else(|| "It waits to be sent.".to_owned(), |error| error.message);
        return answer(Err(model::Refusal::Conflict(format!("The sample did not arrive. {why}"))));
    }
    send_on(&format!("/alerts/channels/{id}?tested={}", as_of().timestamp()));
    Ok(())
}

/// Sends a message that failed again.
#[server(prefix = "/_app", endpoint = "retry-notification")]
pub async fn retry_notification(id: NotificationId) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    answer(desk.retry_notification(&actor, id).await).map(drop)
}
