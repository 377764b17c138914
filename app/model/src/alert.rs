//! Rules, the alerts that they raise, and reasons not to tell.

use crate::words::words;
use crate::{
    AlertId, CustomerId, Environment, FailureKind, FieldError, Health, MaintenanceId, Refusal, RuleId, Severity,
    SilenceId, SourceId,
};
use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// What a rule looks at.
    WhenKind {
        /// A connection is in one of these healths.
        ConnectionHealth = "connection_health", "A connection is in a state";
        /// So many, or such a share, of the connections in scope are in one of these healths.
        ShareOfConnections = "share_of_connections", "Many connections are in a state";
        /// A connection's last good sync is older than so many cadences, or seconds.
        SyncLate = "sync_late", "A sync is late";
        /// Nothing came for so long, of a connection or a source.
        Silence = "silence", "Nothing comes any more";
        /// Webhooks fail: many, a share, or for long.
        FailedWebhooks = "failed_webhooks", "Webhooks fail";
        /// A platform or a source has an outage.
        UpstreamUnwell = "upstream_unwell", "A platform or a source is failing";
        /// Linewatch itself cannot see, or an endpoint or a channel of its own fails.
        SelfUnwell = "self_unwell", "Linewatch itself is unwell";
        /// A secret is old or ends soon.
        CredentialAge = "credential_age", "A secret is old or ends soon";
        /// A connection turns bad again and again.
        Flapping = "flapping", "A connection is unstable";
    }
}

words! {
    /// Whose silence.
    SilenceOf {
        /// A connection that tells nothing.
        Connection = "connection", "a connection";
        /// A source whose webhooks stop.
        Source = "source", "a source's webhooks";
    }
}

words! {
    /// Which alerts are told together.
    GroupBy {
        /// All alerts of a rule.
        Rule = "rule", "By rule";
        /// Each by itself.
        Subject = "subject", "Each by itself";
        /// By platform.
        Platform = "platform", "By platform";
        /// By source.
        Source = "source", "By source";
        /// By customer.
        Customer = "customer", "By customer";
    }
}

words! {
    /// What an alert is about.
    SubjectKind {
        /// A connection.
        Connection = "connection", "Connection";
        /// A platform.
        Platform = "platform", "Platform";
        /// A source.
        Source = "source", "Source";
        /// An endpoint.
        Endpoint = "endpoint", "Endpoint";
        /// A channel.
        Channel = "channel", "Channel";
        /// Everything in a rule's scope together.
        Fleet = "fleet", "Connections together";
        /// Linewatch.
        Linewatch = "linewatch", "Linewatch";
    }
}

words! {
    /// Where an alert stands.
    AlertState {
        /// Its condition holds, but not for long enough yet.
        Pending = "pending", "Pending";
        /// It fires.
        Firing = "firing", "Firing";
        /// Over.
        Resolved = "resolved", "Resolved";
    }
}

words! {
    /// Why an alert is not told.
    MutedBy {
        /// An outage tells of it.
        Outage = "outage", "Told by an outage";
        /// Maintenance.
        Maintenance = "maintenance", "Maintenance";
        /// A silence.
        Silence = "silence", "Silenced";
    }
}

/// What a rule looks at; what its kind does not need is null or empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct When {
    /// What kind of condition.
    pub kind: WhenKind,
    /// `connection_health`, `share_of_connections`: in any of these.
    #[serde(default)]
    pub health: Vec<Health>,
    /// `share_of_connections`, `failed_webhooks`: at least so many.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 1_000_000))]
    pub at_least: Option<u32>,
    /// `share_of_connections`, `failed_webhooks`: at least so much of all, 1 to 100.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 100))]
    pub percent: Option<u8>,
    /// `sync_late`: older than so many cadences.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 1_000))]
    pub cadences: Option<f64>,
    /// `sync_late`, `silence`: for so long.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 60, maximum = 2_678_400))]
    pub seconds: Option<i64>,
    /// `silence`: whose.
    #[serde(default)]
    pub of: Option<SilenceOf>,
    /// `failed_webhooks`: which kinds; empty: processing and deliveries. A notification is no webhook.
    #[serde(default)]
    pub failures: Vec<FailureKind>,
    /// `failed_webhooks`: one that rests or is retried for longer than this.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 60, maximum = 2_678_400))]
    pub older_than_seconds: Option<i64>,
    /// `failed_webhooks`, `flapping`: within so long.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 60, maximum = 604_800))]
    pub window_seconds: Option<i64>,
    /// `credential_age`: older than so many days.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 3_650))]
    pub days: Option<u32>,
    /// `credential_age`: ends within so many days.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 365))]
    pub expires_in_days: Option<u32>,
    /// `flapping`: so many changes to worse.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 2, maximum = 8))]
    pub transitions: Option<u32>,
}

impl When {
    /// A condition of a kind, with nothing said yet.
    pub const fn new(kind: WhenKind) -> Self {
        Self {
            kind,
            health: Vec::new(),
            at_least: None,
            percent: None,
            cadences: None,
            seconds: None,
            of: None,
            failures: Vec::new(),
            older_than_seconds: None,
            window_seconds: None,
            days: None,
            expires_in_days: None,
            transitions: None,
        }
    }
}

/// Lists to match against; an empty list matches all, several lists must all match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Ids of customers.
    pub customers: Vec<CustomerId>,
    /// Tags of connections or their customers.
    pub tags: Vec<String>,
    /// Tiers of customers.
    pub tiers: Vec<String>,
    /// Slugs of platforms.
    pub platforms: Vec<String>,
    /// Ids of sources.
    pub sources: Vec<SourceId>,
    /// Environments.
    pub environments: Vec<Environment>,
    /// Owners of connections or their customers.
    pub owners: Vec<String>,
    /// All but what matches the lists, instead of what matches them.
    pub except: bool,
}

impl Scope {
    /// Whether it says nothing, and so means all.
    pub fn is_all(&self) -> bool {
        self.customers.is_empty()
            && self.tags.is_empty()
            && self.tiers.is_empty()
            && self.platforms.is_empty()
            && self.sources.is_empty()
            && self.environments.is_empty()
            && self.owners.is_empty()
    }
}

/// What to alert on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// Its name, unique.
    pub name: String,
    /// When.
    pub when: When,
    /// For whom.
    pub scope: Scope,
    /// For how long it must hold before it fires.
    pub for_seconds: i64,
    /// For how long it must be over before it is resolved.
    pub hold_seconds: i64,
    /// How bad it is.
    pub severity: Severity,
    /// Which of its alerts are told together.
    pub group_by: GroupBy,
    /// After how long it is told again while it fires and nobody has acknowledged it; 0: never.
    pub repeat_seconds: i64,
    /// What to do, for who is told.
    pub note: Option<String>,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// The name under which it was shipped; null for one of our own.
    pub shipped: Option<String>,
    /// The rule as a sentence.
    pub sentence: String,
    /// How many of its alerts fire now.
    pub firing: u64,
    /// Grows with every change.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Who changed it last.
    pub updated_by: String,
}

/// A rule as a person writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Its name, unique.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 100, pattern = r"\S"))]
    pub name: String,
    /// When.
    pub when: When,
    /// For whom; absent: all.
    #[serde(default)]
    pub scope: Scope,
    /// For how long it must hold, at most 30 days; 0 unless said.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 2_592_000))]
    pub for_seconds: Option<i64>,
    /// For how long it must be over, at most a day; 300 unless said.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 86_400))]
    pub hold_seconds: Option<i64>,
    /// How bad; a warning unless said.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Told together; by rule unless said.
    #[serde(default)]
    pub group_by: Option<GroupBy>,
    /// Told again after; 4 hours unless said, 0: never.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 2_592_000))]
    pub repeat_seconds: Option<i64>,
    /// What to do.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(max_length = 2_000))]
    pub note: Option<String>,
    /// Whether it is evaluated; yes unless said.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// What may be changed on a rule. Absent: unchanged; null: taken away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RulePatch {
    /// Its name.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 100, pattern = r"\S"))]
    pub name: Option<String>,
    /// When: the whole of it.
    pub when: Option<When>,
    /// For whom: the whole of it.
    pub scope: Option<Scope>,
    /// For how long it must hold.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 2_592_000))]
    pub for_seconds: Option<i64>,
    /// For how long it must be over.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 86_400))]
    pub hold_seconds: Option<i64>,
    /// How bad.
    pub severity: Option<Severity>,
    /// Told together.
    pub group_by: Option<GroupBy>,
    /// Told again after.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 2_592_000))]
    pub repeat_seconds: Option<i64>,
    /// What to do.
    #[serde(with = "crate::page::double_option")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 2_000))]
    pub note: Option<Option<String>>,
    /// Whether it is evaluated.
    pub enabled: Option<bool>,
    /// The version that was looked at; a stale one is refused.
    pub version: Option<i64>,
}

/// A change of a rule, for its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RuleChange {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// What, in a sentence.
    pub text: String,
    /// The rule as a sentence after it.
    pub sentence: String,
    /// Its version after it.
    pub version: i64,
}

/// What a rule would have done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewWish {
    /// The rule; it need not have a name yet.
    pub rule: NewRule,
    /// Over how many days, 1 to 30; 30 unless said.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 30))]
    pub days: Option<u16>,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Its id or slug.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// One time that a rule would have fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Firing {
    /// For whom.
    pub subject: Subject,
    /// When it would have fired.
    pub from: DateTime<Utc>,
    /// When it would have been resolved; null: it would fire still.
    pub to: Option<DateTime<Utc>>,
}

/// What another patience would have given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Alternative {
    /// The patience.
    pub for_seconds: i64,
    /// How often it would have fired.
    pub firings: u64,
    /// How many that lasted an hour it would have missed.
    pub missed: u64,
}

/// What a rule would have done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Preview {
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// The rule as a sentence.
    pub sentence: String,
    /// How often it would have fired in all.
    pub total: u64,
    /// How many of these were over within ten minutes.
    pub noise: u64,
    /// How many different subjects.
    pub subjects: u64,
    /// The firings, newest first, at most 500.
    pub firings: Vec<Firing>,
    /// What other patiences would have given, by patience.
    pub alternatives: Vec<Alternative>,
    /// What the past cannot tell of this rule, in a sentence; null when it tells all.
    pub caveat: Option<String>,
}

/// A rule that fires for a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The rule.
    pub rule_id: RuleId,
    /// The rule's name.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// About whom.
    pub subject: Subject,
    /// What is so, in a sentence.
    pub summary: String,
    /// Where it stands.
    pub state: AlertState,
    /// Since when the condition holds.
    pub since: DateTime<Utc>,
    /// When it fired.
    pub fired_at: Option<DateTime<Utc>>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who acknowledged it.
    pub acknowledged_by: Option<String>,
    /// Why it is not told.
    pub muted_by: Option<MutedBy>,
    /// Grows with every change.
    pub version: i64,
}

/// A question about alerts; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertQuery {
    /// Where they stand; empty: pending and firing.
    pub state: Vec<AlertState>,
    /// Of one rule.
    pub rule: Option<RuleId>,
    /// About this connection.
    pub connection: Option<crate::ConnectionId>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

impl AlertQuery {
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
        match name {
            "state" => self.state.push(value.parse()?),
            "rule" => self.rule = Some(value.parse().map_err(|_| format!("“{value}” is not the id of a rule"))?),
            "connection" => {
                self.connection = Some(value.parse().map_err(|_| format!("“{value}” is not the id of a connection"))?);
            }
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

/// Which alerts a silence mutes; an empty list matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SilenceMatch {
    /// Ids of rules.
    pub rule_ids: Vec<RuleId>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// Ids of alerts.
    pub alert_ids: Vec<AlertId>,
    /// Ids of connections.
    pub connections: Vec<crate::ConnectionId>,
    /// Ids of customers.
    pub customers: Vec<CustomerId>,
    /// Slugs of platforms.
    pub platforms: Vec<String>,
    /// Ids of sources.
    pub sources: Vec<SourceId>,
    /// Tags.
    pub tags: Vec<String>,
}

/// Alerts that are not told for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Silence {
    /// Its id.
    pub id: SilenceId,
    /// Which alerts.
    pub matching: SilenceMatch,
    /// The same in words.
    pub words: String,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub ends_at: DateTime<Utc>,
    /// How many alerts it mutes now.
    pub muting: u64,
}

/// A new silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Which alerts.
    #[serde(default)]
    pub matching: SilenceMatch,
    /// Why.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 500, pattern = r"\S"))]
    pub reason: String,
    /// From when; now unless said.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when, at most 90 days.
    pub ends_at: DateTime<Utc>,
    /// Only say what would be muted.
    #[serde(default)]
    pub dry_run: bool,
}

words! {
    /// A day of the week.
    Weekday {
        /// Monday.
        Monday = "monday", "Monday";
        /// Tuesday.
        Tuesday = "tuesday", "Tuesday";
        /// Wednesday.
        Wednesday = "wednesday", "Wednesday";
        /// Thursday.
        Thursday = "thursday", "Thursday";
        /// Friday.
        Friday = "friday", "Friday";
        /// Saturday.
        Saturday = "saturday", "Saturday";
        /// Sunday.
        Sunday = "sunday", "Sunday";
    }
}

/// Maintenance that comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Recurrence {
    /// On these days.
    #[cfg_attr(feature = "ssr", schema(min_items = 1))]
    pub weekdays: Vec<Weekday>,
    /// At this time of the day, by the clocks there.
    #[cfg_attr(feature = "ssr", schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"))]
    pub at: NaiveTime,
    /// For so long, at most a day.
    #[cfg_attr(feature = "ssr", schema(minimum = 60, maximum = 86_400))]
    pub seconds: i64,
    /// Where: a name of the tz database, such as `Europe/Berlin`.
    pub time_zone: String,
}

/// A time of work during which nobody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Maintenance {
    /// Its id.
    pub id: MaintenanceId,
    /// For whom: platforms, customers, sources.
    pub scope: Scope,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// From when; of one that comes again, the first day on which it may.
    pub starts_at: DateTime<Utc>,
    /// Until when; of one that comes again, the last moment.
    pub ends_at: DateTime<Utc>,
    /// When it comes again; null for once.
    pub recurrence: Option<Recurrence>,
    /// Whether it is now.
    pub active: bool,
    /// When it begins next; null when it never does.
    pub next_at: Option<DateTime<Utc>>,
    /// Of one that comes again: the next three times.
    #[serde(default)]
    pub coming: Vec<Coming>,
}

/// One time of maintenance that comes again: when it is, and what the clocks of its place show then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Coming {
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// What the clocks there show as it begins, such as `2027-03-28T03:00:00`: not what was said, where they jump over that.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub local_start: NaiveDateTime,
    /// What they show as it ends.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub local_end: NaiveDateTime,
}

/// New maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// For whom.
    #[serde(default)]
    pub scope: Scope,
    /// Why.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 500, pattern = r"\S"))]
    pub reason: String,
    /// From when; now unless said.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when, at most 366 days.
    pub ends_at: DateTime<Utc>,
    /// When it comes again.
    #[serde(default)]
    pub recurrence: Option<Recurrence>,
}
