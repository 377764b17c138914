//! A source: one Makini account that we watch.

use crate::words::words;
use crate::{AttemptError, Mappings, RejectionReason, SecretId, SourceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// Whether real customers are behind it.
    Environment {
        /// Real customers.
        Production = "production", "Production";
        /// For trying things out.
        Sandbox = "sandbox", "Sandbox";
    }
}

words! {
    /// Which of Makini's ways of speaking.
    Dialect {
        /// `/api/v1`, cursors, connection-level webhooks.
        FaqV1 = "faq_v1", "FAQ, v1";
        /// `/api`, page numbers, entity-level webhooks.
        Openapi2025 = "openapi_2025", "OpenAPI, 2025";
    }
}

words! {
    /// Who issues connection tokens.
    TokenOwnership {
        /// Somebody else: Linewatch never issues or refreshes one, so that it cannot cut off the customers it watches.
        External = "external", "Another application";
        /// Linewatch may.
        Linewatch = "linewatch", "Linewatch";
    }
}

words! {
    /// Where Makini Link sends a customer who has signed in again.
    Redirect {
        /// Back to Linewatch, which takes the connection's new token.
        Ours = "ours", "Linewatch";
        /// To where it always does. Linewatch sees by polling that it was done.
        Theirs = "theirs", "Your application";
    }
}

/// A webhook secret; the secret itself never leaves the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct WebhookSecret {
    /// Its id.
    pub id: SecretId,
    /// Its last four characters, to tell it from others.
    pub hint: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When a signature of it last came.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The newest round of polling over a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SourceRound {
    /// When the last complete round began; what it saw is as old as this.
    pub good_at: Option<DateTime<Utc>>,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// How many connections it listed.
    pub listed: Option<i64>,
    /// Why the newest round failed; null while rounds succeed.
    pub error: Option<AttemptError>,
    /// Since when rounds fail.
    pub failing_since: Option<DateTime<Utc>>,
    /// When the next one is due.
    pub next_at: Option<DateTime<Utc>>,
}

/// What came through the webhook door in the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SourceTraffic {
    /// Events taken.
    pub events: u64,
    /// When the newest came.
    pub last_event_at: Option<DateTime<Utc>>,
    /// Requests turned away, by reason.
    #[cfg_attr(feature = "ssr", schema(value_type = BTreeMap<String, u64>))]
    pub rejections: BTreeMap<RejectionReason, u64>,
    /// When the newest was turned away.
    pub last_rejection_at: Option<DateTime<Utc>>,
}

/// What asking for records comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SourceRecords {
    /// Kinds of which a webhook came since records are asked for, such as `assets.updated`. One of any other kind may be lost
    /// unseen: it may as well not be subscribed.
    pub told: Vec<String>,
    /// Pairs of a connection and what it is asked for.
    pub asked: u64,
    /// Those of them that Makini refuses to answer; each is tried once a day.
    pub refused: u64,
    /// Why, of one of them.
    pub refusal: Option<String>,
    /// When one was last answered.
    pub last_at: Option<DateTime<Utc>>,
}

/// A source as it is shown. Secrets are never in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Its name: unique, `[a-z0-9-]+`; the webhook door's address ends with it.
    pub name: String,
    /// Production or sandbox.
    pub environment: Environment,
    /// How it speaks.
    pub dialect: Dialect,
    /// Where its API is.
    pub base_url: String,
    /// Its client id.
    pub client_id: String,
    /// Who issues connection tokens.
    pub token_ownership: TokenOwnership,
    /// Where Makini Link sends a customer who has signed in again.
    pub redirect: Redirect,
    /// Makini Link's address, where it is not the usual one; `{key}` in it becomes the connection's key.
    pub authorize_url: Option<String>,
    /// Whether it is polled.
    pub enabled: bool,
    /// Where its webhooks must be sent.
    pub webhook_url: String,
    /// The live webhook secrets; none: every webhook is refused.
    pub webhook_secrets: Vec<WebhookSecret>,
    /// The key in a connection's metadata that names its customer.
    pub customer_key: String,
    /// Seconds between two rounds of polling.
    pub poll_interval_seconds: i64,
    /// Requests a minute that we allow ourselves.
    pub rate_per_minute: i64,
    /// How often a sync is expected where nothing better is known, in seconds.
    pub cadence_seconds: Option<i64>,
    /// Late after cadence times this …
    pub late_factor: f64,
    /// … plus this many seconds.
    pub late_grace_seconds: i64,
    /// A proof older than this many seconds proves nothing.
    pub proof_allowance_seconds: i64,
    /// What this source spells its own way.
    pub mappings: Mappings,
    /// What is asked for to find lost webhooks about single records, such as `eam/assets`; empty: nothing.
    pub record_entities: Vec<String>,
    /// Each connection is asked at most once in so many minutes …
    pub record_minutes: i64,
    /// … and at most so many connections in that time.
    pub record_connections: i64,
    /// What asking for records comes to; null while none is asked for.
    pub records: Option<SourceRecords>,
    /// Polling.
    pub round: SourceRound,
    /// Webhooks.
    pub traffic: SourceTraffic,
    /// The API's version as answers name it.
    pub api_version: Option<String>,
    /// Since when they name it.
    pub api_version_since: Option<DateTime<Utc>>,
    /// The version that they named until then; null while it never changed. Where there is one, what is read may mean something
    /// else than it did.
    pub api_version_before: Option<String>,
    /// Upstream's clock minus ours, in milliseconds, as last measured.
    pub skew_ms: Option<i64>,
    /// How many connections it has.
    pub connections: u64,
    /// Grows with every change by a person.
    pub version: i64,
}

impl Source {
    /// About how many questions an hour asking for records takes; a long answer takes a few more.
    pub fn record_questions_an_hour(&self) -> u64 {
        let asked = self.connections.min(u64::try_from(self.record_connections).unwrap_or(0));
        let minutes = u64::try_from(self.record_minutes).unwrap_or(0).max(1);
        (asked * self.record_entities.len() as u64 * 60).div_ceil(minutes)
    }
}

/// A new source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// Unique, `[a-z0-9-]+`.
    #[cfg_attr(feature = "ssr", schema(pattern = "^[a-z0-9-]{1,63}$"))]
    pub name: String,
    /// Production unless said.
    #[serde(default = "production")]
    pub environment: Environment,
    /// `faq_v1` unless said.
    #[serde(default = "faq_v1")]
    pub dialect: Dialect,
    /// Where its API is.
    #[cfg_attr(feature = "ssr", schema(pattern = "^https?://"))]
    pub base_url: String,
    /// Its client id.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 200, pattern = r"\S"))]
    pub client_id: String,
    /// Its client secret; never shown again.
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 500))]
    pub client_secret: String,
    /// A webhook secret; may be added later.
    #[serde(default)]
    pub webhook_secret: Option<String>,
    /// Everything that has a default.
    #[serde(flatten)]
    pub settings: SourcePatch,
}

fn production() -> Environment {
    Environment::Production
}

fn faq_v1() -> Dialect {
    Dialect::FaqV1
}

/// What may be changed on a source. Absent: unchanged, or the default for a new one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SourcePatch {
    /// Where its API is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(pattern = "^https?://"))]
    pub base_url: Option<String>,
    /// Production or sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Its client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(min_length = 1, max_length = 200, pattern = r"\S"))]
    pub client_id: Option<String>,
    /// A new client secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(max_length = 500))]
    pub client_secret: Option<String>,
    /// Who issues connection tokens; `external` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ownership: Option<TokenOwnership>,
    /// Where Makini Link sends a customer who has signed in again; `theirs` unless said. For `ours`, Linewatch's address
    /// `/r/callback` must be among the redirect addresses in Makini's Application Settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// Makini Link's address, https, where it is not the usual one; `{key}` in it becomes the connection's key. Null: the
    /// usual one.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 500, pattern = "^(https?://.*)?$"))]
    pub authorize_url: Option<Option<String>>,
    /// Whether it is polled; true unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The key in a connection's metadata that names its customer; `customer_name` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(max_length = 100))]
    pub customer_key: Option<String>,
    /// 5 to 3600; 60 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(minimum = 5, maximum = 3_600))]
    pub poll_interval_seconds: Option<i64>,
    /// 1 to 60,000; 600 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 60_000))]
    pub rate_per_minute: Option<i64>,
    /// 10 seconds to 31 days; null: none.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<i64>, minimum = 10, maximum = 2_678_400))]
    pub cadence_seconds: Option<Option<i64>>,
    /// 1 to 100; 2 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 100))]
    pub late_factor: Option<f64>,
    /// 0 to 86,400; 300 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 86_400))]
    pub late_grace_seconds: Option<i64>,
    /// 30 to 86,400; 900 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(minimum = 30, maximum = 86_400))]
    pub proof_allowance_seconds: Option<i64>,
    /// What this source spells its own way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mappings: Option<Mappings>,
    /// What is asked for to find lost webhooks about single records: at most 8, such as `eam/assets`; none unless said. Only where
    /// webhooks tell of records, in the dialect `openapi_2025`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(max_items = 8))]
    pub record_entities: Option<Vec<String>>,
    /// Each connection is asked at most once in so many minutes: 5 to 1440; 15 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(minimum = 5, maximum = 1_440))]
    pub record_minutes: Option<i64>,
    /// And at most so many connections in that time: 1 to 1000; 50 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(minimum = 1, maximum = 1_000))]
    pub record_connections: Option<i64>,
    /// The version that was read; another one since is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// A webhook secret to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWebhookSecret {
    /// The secret as Makini shows it; never shown again.
    #[cfg_attr(feature = "ssr", schema(min_length = 8, max_length = 500))]
    pub secret: String,
}

/// One step of trying a source out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SourceTestStep {
    /// What was tried.
    pub name: String,
    /// Whether it worked.
    pub ok: bool,
    /// What came of it, in a sentence.
    pub detail: String,
    /// How long it took.
    pub duration_ms: u32,
}

/// What trying a source out showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SourceTest {
    /// Whether every step worked.
    pub ok: bool,
    /// The steps up to the first that did not.
    pub steps: Vec<SourceTestStep>,
}
