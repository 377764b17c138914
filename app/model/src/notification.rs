//! Who is told, by what means, and what was told.

use crate::words::words;
use crate::{
    AlertId, Attempt, AttemptError, ChannelId, CustomerId, Environment, FieldError, GroupBy, MutedBy, NotificationId,
    Refusal, RouteId, RuleId, Severity, SourceId, Subject,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// By what means.
    ChannelKind {
        /// E-mail.
        Email = "email", "E-mail";
        /// Slack, by an incoming webhook.
        Slack = "slack", "Slack";
        /// A signed webhook.
        Webhook = "webhook", "Webhook";
    }
}

words! {
    /// How a channel is.
    ChannelHealth {
        /// Nothing was sent yet.
        Untried = "untried", "Not tried yet";
        /// The last message went through.
        Healthy = "healthy", "Works";
        /// The last message did not go through.
        Failing = "failing", "Fails";
    }
}

words! {
    /// Why something is told.
    NotificationReason {
        /// It began.
        First = "first", "It began";
        /// More joined.
        Grew = "grew", "More joined";
        /// Some are over.
        Shrank = "shrank", "Some are over";
        /// It lasts.
        Repeated = "repeated", "It lasts";
        /// All is over.
        Resolved = "resolved", "Over";
        /// Many things at once.
        Digest = "digest", "Many at once";
        /// A person tries the channel.
        Test = "test", "A test";
        /// A silence ends soon.
        SilenceEnds = "silence_ends", "A silence ends soon";
    }
}

words! {
    /// Where a notification stands.
    NotificationState {
        /// To be sent.
        Pending = "pending", "To be sent";
        /// Being sent.
        Sending = "sending", "Being sent";
        /// Sent.
        Sent = "sent", "Sent";
        /// Given up.
        Failed = "failed", "Not sent";
    }
}

/// What a channel needs; what its kind does not need is null or empty. Secrets never come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSettings {
    /// `email`: to whom.
    #[cfg_attr(feature = "ssr", schema(max_items = 50))]
    pub to: Vec<String>,
    /// `email`: from whom; null: LINEWATCH_MAIL_FROM.
    pub from: Option<String>,
    /// `slack`: the incoming webhook's address, which is a secret: write-only.
    #[cfg_attr(feature = "ssr", schema(max_length = 500))]
    pub webhook_url: Option<String>,
    /// `webhook`: where to.
    pub url: Option<String>,
}

/// By what means people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Its name, unique.
    pub name: String,
    /// By what means.
    pub kind: ChannelKind,
    /// What it needs; secrets are null.
    pub settings: ChannelSettings,
    /// The last characters of its secret, to tell it from others.
    pub hint: Option<String>,
    /// The signing secret of a `webhook`; only in the answer that made it.
    pub secret: Option<String>,
    /// How it is.
    pub health: ChannelHealth,
    /// Why the last message did not go through.
    pub last_error: Option<AttemptError>,
    /// When a message last went through.
    pub last_sent_at: Option<DateTime<Utc>>,
    /// Since when it fails.
    pub failing_since: Option<DateTime<Utc>>,
    /// How many messages wait.
    pub waiting: u64,
    /// The channel that takes over after two minutes of failure.
    pub fallback_id: Option<ChannelId>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Grows with every change by a person.
    pub version: i64,
}

/// A new channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    /// Its name, unique.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 80, pattern = r"\S"))]
    pub name: String,
    /// By what means.
    pub kind: ChannelKind,
    /// What it needs.
    pub settings: ChannelSettings,
    /// The channel that takes over.
    #[serde(default)]
    pub fallback_id: Option<ChannelId>,
    /// Whether anything is sent; yes unless said.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// What may be changed on a channel. Absent: unchanged; null: taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChannelPatch {
    /// Its name.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 80, pattern = r"\S"))]
    pub name: Option<String>,
    /// What it needs; secrets that are absent stay.
    pub settings: Option<ChannelSettings>,
    /// The channel that takes over.
    #[serde(with = "crate::page::double_option")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<ChannelId>))]
    pub fallback_id: Option<Option<ChannelId>>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
    /// The version that was looked at; a stale one is refused.
    pub version: Option<i64>,
}

/// Which alerts a route takes; an empty list matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RouteMatch {
    /// Ids of rules.
    pub rule_ids: Vec<RuleId>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// Slugs of platforms.
    pub platforms: Vec<String>,
    /// Ids of customers.
    pub customers: Vec<CustomerId>,
    /// Tags.
    pub tags: Vec<String>,
    /// Tiers.
    pub tiers: Vec<String>,
    /// Ids of sources.
    pub sources: Vec<SourceId>,
    /// Environments.
    pub environments: Vec<Environment>,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Its name.
    pub name: String,
    /// Its place, from 1: the first that matches takes an alert.
    pub position: i32,
    /// Which alerts.
    #[serde(rename = "match")]
    pub matching: RouteMatch,
    /// Whether the routes after it are asked too.
    #[serde(rename = "continue")]
    pub goes_on: bool,
    /// By which channels.
    pub channels: Vec<ChannelId>,
    /// Told together; null: as the rule says.
    pub group_by: Option<GroupBy>,
    /// How long the first message of a group waits for others.
    pub first_wait_seconds: i64,
    /// How long further messages of a group are collected.
    pub interval_seconds: i64,
    /// Told again after so long; null: as the rule says; 0: never.
    pub repeat_seconds: Option<i64>,
    /// Grows with every change.
    pub version: i64,
}

/// A new route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NewRoute {
    /// Its name.
    #[cfg_attr(feature = "ssr", schema(required = true, min_length = 1, max_length = 80, pattern = r"\S"))]
    pub name: String,
    /// Its place; one that is taken moves the others down; last unless said.
    #[cfg_attr(feature = "ssr", schema(minimum = 1))]
    pub position: Option<i32>,
    /// Which alerts.
    #[serde(rename = "match")]
    pub matching: RouteMatch,
    /// Whether the routes after it are asked too.
    #[serde(rename = "continue")]
    pub goes_on: bool,
    /// By which channels.
    #[cfg_attr(feature = "ssr", schema(max_items = 20))]
    pub channels: Vec<ChannelId>,
    /// Told together.
    pub group_by: Option<GroupBy>,
    /// How long the first message waits; 0 unless said.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 3_600))]
    pub first_wait_seconds: Option<i64>,
    /// How long further ones are collected; 300 unless said.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 86_400))]
    pub interval_seconds: Option<i64>,
    /// Told again after.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 2_592_000))]
    pub repeat_seconds: Option<i64>,
}

/// What may be changed on a route. Absent: unchanged; null: taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RoutePatch {
    /// Its name.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 80, pattern = r"\S"))]
    pub name: Option<String>,
    /// Its place.
    #[cfg_attr(feature = "ssr", schema(minimum = 1))]
    pub position: Option<i32>,
    /// Which alerts: the whole of it.
    #[serde(rename = "match")]
    pub matching: Option<RouteMatch>,
    /// Whether the routes after it are asked too.
    #[serde(rename = "continue")]
    pub goes_on: Option<bool>,
    /// By which channels.
    #[cfg_attr(feature = "ssr", schema(max_items = 20))]
    pub channels: Option<Vec<ChannelId>>,
    /// Told together.
    #[serde(with = "crate::page::double_option")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<GroupBy>))]
    pub group_by: Option<Option<GroupBy>>,
    /// How long the first message waits.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 3_600))]
    pub first_wait_seconds: Option<i64>,
    /// How long further ones are collected.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 86_400))]
    pub interval_seconds: Option<i64>,
    /// Told again after.
    #[serde(with = "crate::page::double_option")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<i64>, minimum = 0, maximum = 2_592_000))]
    pub repeat_seconds: Option<Option<i64>>,
    /// The version that was looked at; a stale one is refused.
    pub version: Option<i64>,
}

/// Where an alert goes, or would go: an alert that is there, or a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RouteSample {
    /// This alert, instead of a sample.
    pub alert_id: Option<AlertId>,
    /// A sample about this connection.
    pub connection_id: Option<crate::ConnectionId>,
    /// … of this rule.
    pub rule_id: Option<RuleId>,
    /// … this bad.
    pub severity: Option<Severity>,
}

/// One stage on the way from an alert to a message, and what it decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Stage {
    /// Which: `group`, `route`, `outage`, `maintenance`, `silence`, `dedup`, `channel`.
    pub stage: String,
    /// Its name, where it is a thing: a route's, a silence's.
    pub name: Option<String>,
    /// Whether the alert goes on from here.
    pub passes: bool,
    /// Why, in a sentence.
    pub text: String,
}

/// Why something goes where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// The channels that are told in the end.
    pub channels: Vec<ChannelId>,
}

/// One message to one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// The alerts that it tells of.
    pub alert_ids: Vec<AlertId>,
    /// The channel.
    pub channel_id: ChannelId,
    /// The channel's name.
    pub channel: String,
    /// By what means.
    pub channel_kind: ChannelKind,
    /// Why.
    pub reason: NotificationReason,
    /// Its subject line.
    pub subject: String,
    /// Where it stands.
    pub state: NotificationState,
    /// It may have been told before: the process ended between the channel's answer and our note of it.
    pub maybe_repeat: bool,
    /// It took over for this one, whose channel failed.
    pub instead_of: Option<NotificationId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it is tried next; null when it rests.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// Its tries, oldest first.
    pub attempts: Vec<Attempt>,
    /// What it says, as text, without the links that were made for one try; only where one message is asked for.
    pub text: Option<String>,
}

/// Who was told of a problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Told {
    /// The message; null when it was not told.
    pub notification_id: Option<NotificationId>,
    /// What is told of.
    pub subject: Subject,
    /// The rule's name.
    pub rule: String,
    /// The channel's name.
    pub channel: Option<String>,
    /// Why.
    pub reason: Option<NotificationReason>,
    /// When.
    pub at: DateTime<Utc>,
    /// Where the message stands.
    pub state: Option<NotificationState>,
    /// Why nobody was told.
    pub muted_by: Option<MutedBy>,
}

/// A question about notifications; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationQuery {
    /// Where they stand; empty: anywhere.
    pub state: Vec<NotificationState>,
    /// To this channel.
    pub channel: Option<ChannelId>,
    /// Of this alert.
    pub alert: Option<AlertId>,
    /// About this connection.
    pub connection: Option<crate::ConnectionId>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl NotificationQuery {
    /// Reads a query string; wrong values are refused with a sentence each.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            if let Err(message) = read.take(&name, &value) {
                errors.push(FieldError { field: name.into_owned(), message });
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        crate::page::no_nul(value)?;
        let no_id = |of: &str| format!("“{value}” is not the id of {of}");
        match name {
            "state" => self.state.push(value.parse()?),
            "channel" => self.channel = Some(value.parse().map_err(|_| no_id("a channel"))?),
            "alert" => self.alert = Some(value.parse().map_err(|_| no_id("an alert"))?),
            "connection" => self.connection = Some(value.parse().map_err(|_| no_id("a connection"))?),
            "cursor" => self.cursor = Some(value.to_owned()),
            "limit" => self.limit = Some(crate::page::read_limit(value)?),
            _ => return Err("this filter is not known".to_owned()),
        }
        Ok(())
    }

    /// Rows a page.
    pub fn limit(&self) -> u16 {
        self.limit.unwrap_or(crate::page::DEFAULT_LIMIT)
    }
}
