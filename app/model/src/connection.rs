//! A connection as the API and the screens show it, and the questions one may ask about connections.

use crate::words::words;
use crate::{
    Authorization, Cause, CauseActor, ConnectionId, Count, CustomerId, DataFlow, Environment, Eye, FieldError, Health,
    Refusal, SourceId, Tally,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CustomerRef {
    /// Its id.
    pub id: CustomerId,
    /// Its name.
    pub name: String,
}

/// The customer's system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PlatformRef {
    /// Upstream's name for it in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// Through which source we see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SourceRef {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// Production or sandbox.
    pub environment: Environment,
}

/// Why a connection is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CauseView {
    /// The cause.
    pub code: Cause,
    /// In words; what upstream said, where it said something.
    pub summary: String,
    /// Who must act.
    pub actor: CauseActor,
}

/// The newest proof of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Proof {
    /// Through which eye.
    pub eye: Eye,
    /// When.
    pub at: DateTime<Utc>,
}

words! {
    /// Where a cadence comes from.
    CadenceFrom {
        /// Upstream says when the next sync is due.
        Upstream = "upstream", "as Makini plans it";
        /// A person set it, for the connection or for its source.
        Set = "set", "as set here";
        /// Learned from its history.
        Learned = "learned", "learned";
    }
}

/// How webhooks about a connection come, learned from when they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct WebhookPulse {
    /// The usual pause between two, in seconds.
    pub pause_seconds: i64,
    /// From so many webhooks of the last weeks.
    pub webhooks: i64,
    /// When the newest came; of those that feed a connection, the newest about its data.
    pub last_at: Option<DateTime<Utc>>,
}

/// One customer's link to one platform through a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Connection {
    /// Our id.
    pub id: ConnectionId,
    /// Upstream's identifier.
    pub key: String,
    /// Upstream's name for it.
    pub name: String,
    /// Who owns it.
    pub customer: CustomerRef,
    /// The system behind it.
    pub platform: PlatformRef,
    /// Through which account we see it.
    pub source: SourceRef,
    /// The headline.
    pub health: Health,
    /// Dimension 1.
    pub authorization: Authorization,
    /// Dimension 2.
    pub data_flow: DataFlow,
    /// Since when the headline stands.
    pub since: DateTime<Utc>,
    /// Why; null while healthy.
    pub cause: Option<CauseView>,
    /// The newest proof of this state.
    pub proof: Option<Proof>,
    /// When data last arrived.
    pub last_good_sync_at: Option<DateTime<Utc>>,
    /// How often a sync is expected.
    pub cadence_seconds: Option<i64>,
    /// Where that comes from.
    pub cadence_from: Option<CadenceFrom>,
    /// The webhooks that feed it in real time, by which it is judged then; null where syncs feed it.
    #[serde(default)]
    pub real_time: Option<WebhookPulse>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Our own tags.
    pub tags: Vec<String>,
    /// Upstream's status, letter for letter.
    pub raw_status: Option<String>,
    /// Grows with every change; a poll that only confirms is none.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Connection {
    /// When the next sync should have succeeded; none where no cadence or no good sync is known.
    pub fn next_sync_expected_at(&self) -> Option<DateTime<Utc>> {
        Some(self.last_good_sync_at? + chrono::TimeDelta::try_seconds(self.cadence_seconds?)?)
    }
}

/// A connection with everything its own page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ConnectionDetail {
    /// What the list shows too.
    #[cfg_attr(feature = "ssr", serde(flatten))]
    pub connection: Connection,
    /// The contact that upstream names.
    pub email: Option<String>,
    /// A note by support staff.
    pub note: Option<String>,
    /// When we first saw it.
    pub first_seen_at: DateTime<Utc>,
    /// Since when it is gone upstream.
    pub removed_at: Option<DateTime<Utc>>,
    /// From how many syncs its cadence was learned; null where it was not.
    #[serde(default)]
    pub cadence_samples: Option<i64>,
    /// Seconds between syncs as a person has set them. They count where Makini plans none: see `cadence_seconds`.
    #[serde(default)]
    pub cadence_set_seconds: Option<i64>,
    /// How webhooks about it come; null where that is not known yet.
    #[serde(default)]
    pub webhooks: Option<WebhookPulse>,
    /// From when on it counts as late if no good sync, or no webhook where those feed it, comes before; null where that cannot be said.
    pub late_at: Option<DateTime<Utc>>,
    /// How old a proof may become before the state is unknown, in seconds.
    pub proof_allowance_seconds: i64,
    /// A check is waiting or running.
    pub checking: bool,
    /// The newest error that upstream told us, with its request id where known.
    pub upstream_error: Option<String>,
    /// Whether lost webhooks about its records can be found, in a sentence; null where its source has no such webhooks.
    #[serde(default)]
    pub records: Option<String>,
    /// Everything upstream says of it, with what we do not understand.
    #[serde(with = "crate::json")]
    #[cfg_attr(feature = "ssr", schema(value_type = serde_json::Value))]
    pub upstream: crate::Json,
}

/// What may be changed on a connection. Absent: unchanged; null: taken away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectionPatch {
    /// Who looks after it.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 100))]
    pub owner: Option<Option<String>>,
    /// Our tags: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// How often a sync is expected, 10 seconds to 31 days.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<i64>, minimum = 10, maximum = 2_678_400))]
    pub cadence_seconds: Option<Option<i64>>,
    /// A note.
    #[serde(default, with = "crate::page::double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, max_length = 5_000))]
    pub note: Option<Option<String>>,
}

/// How many connections in each health; every health is there, zero too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Totals(pub BTreeMap<Health, u64>);

impl Default for Totals {
    fn default() -> Self {
        Self(Health::ALL.iter().map(|health| (*health, 0)).collect())
    }
}

impl Totals {
    /// How many in one health.
    pub fn of(&self, health: Health) -> u64 {
        self.0.get(&health).copied().unwrap_or(0)
    }

    /// How many in all.
    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }

    /// How many need somebody to look.
    pub fn attention(&self) -> u64 {
        self.0.iter().filter(|(health, _)| health.needs_attention()).map(|(_, count)| count).sum()
    }
}

/// A page of connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ConnectionPage {
    /// The rows.
    pub items: Vec<Connection>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
    /// How many rows match every filter.
    pub matching: Count,
    /// How many rows match every filter but `health`, by health.
    pub totals: Tally,
}

words! {
    /// What a list of connections can be sorted by.
    SortKey {
        /// Worst health first, longest so first.
        Worst = "worst", "Worst first";
        /// Customer, A to Z.
        Customer = "customer", "Customer";
        /// Platform, A to Z.
        Platform = "platform", "System";
        /// Longest in its state first.
        Since = "since", "Since";
        /// Oldest good sync first.
        LastGoodSync = "last_good_sync", "Last good sync";
    }
}

/// A sort order; in URLs a leading `-` turns it round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSort {
    /// By what.
    pub key: SortKey,
    /// Turned round.
    pub reversed: bool,
}

impl Default for ConnectionSort {
    fn default() -> Self {
        Self { key: SortKey::Worst, reversed: false }
    }
}

impl std::fmt::Display for ConnectionSort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.reversed { "-" } else { "" }, self.key)
    }
}

impl std::str::FromStr for ConnectionSort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (reversed, key) = text.strip_prefix('-').map_or((false, text), |key| (true, key));
        Ok(Self { key: key.parse()?, reversed })
    }
}

/// A question about connections. The same names in the API and in the URL of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionQuery {
    /// Any of these healths; empty: all.
    pub health: Vec<Health>,
    /// Any of these platforms, by slug.
    pub platform: Vec<String>,
    /// Any of these customers.
    pub customer: Vec<CustomerId>,
    /// Any of these sources, by id or name.
    pub source: Vec<String>,
    /// Any of these tags.
    pub tag: Vec<String>,
    /// Search over customer, platform, key, name, tag and request id.
    pub q: Option<String>,
    /// Order.
    #[serde(with = "as_text")]
    pub sort: ConnectionSort,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 unless said.
    pub limit: Option<u16>,
}

mod as_text {
    //! Serialises through `Display` and `FromStr`.
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::{fmt::Display, str::FromStr};

    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err = String>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl ConnectionQuery {
    /// Reads a query string. Empty values are none; an unknown name or a wrong value is refused with a sentence.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            if let Err(message) = read.take(&name, value) {
                errors.push(FieldError { field: name.into_owned(), message });
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(Refusal::Invalid(errors)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        crate::page::no_nul(value)?;
        match name {
            "health" => self.health.push(value.parse()?),
            "platform" => self.platform.push(value.to_owned()),
            "customer" => {
                self.customer.push(value.parse().map_err(|_| format!("“{value}” is not the id of a customer"))?);
            }
            "source" => self.source.push(value.to_owned()),
            "tag" => self.tag.push(value.to_owned()),
            "q" if value.chars().count() > 200 => return Err("a search has at most 200 characters".to_owned()),
            "q" => self.q = Some(value.to_owned()),
            "sort" => self.sort = value.parse()?,
            "cursor" => self.cursor = Some(value.to_owned()),
            "limit" => self.limit = Some(crate::page::read_limit(value)?),
            _ => return Err("this filter is not known".to_owned()),
        }
        Ok(())
    }

    /// Writes it as a query string without `?`; defaults are left out, so equal questions have equal addresses.
    pub fn to_query(&self) -> String {
        let mut to = form_urlencoded::Serializer::new(String::new());
        for health in &self.health {
            to.append_pair("health", health.code());
        }
        for platform in &self.platform {
            to.append_pair("platform", platform);
        }
        for customer in &self.customer {
            to.append_pair("customer", &customer.to_string());
        }
        for source in &self.source {
            to.append_pair("source", source);
        }
        for tag in &self.tag {
            to.append_pair("tag", tag);
        }
        if let Some(q) = &self.q {
            to.append_pair("q", q);
        }
        if self.sort != ConnectionSort::default() {
            to.append_pair("sort", &self.sort.to_string());
        }
        if let Some(limit) = self.limit {
            to.append_pair("limit", &limit.to_string());
        }
        if let Some(cursor) = &self.cursor {
            to.append_pair("cursor", cursor);
        }
        to.finish()
    }

    /// The same, name by name: for the hidden fields of a form.
    pub fn pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.to_query().as_bytes()).into_owned().collect()
    }

    /// Rows a page.
    pub fn limit(&self) -> u16 {
        self.limit.unwrap_or(crate::page::DEFAULT_LIMIT)
    }

    /// The same question, from the first page.
    pub fn first_page(&self) -> Self {
        Self { cursor: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_what_is_wrong_with_each_field() {
        let Err(Refusal::Invalid(errors)) = ConnectionQuery::from_query("health=fine&limit=0&colour=red&q=") else {
            panic!("must be refused");
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["health", "limit", "colour"]);
    }

    #[test]
    fn an_empty_cursor_is_none() {
        assert_eq!(ConnectionQuery::from_query("cursor=").unwrap(), ConnectionQuery::default());
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(
            health in prop::collection::vec(prop::sample::select(Health::ALL), 0..3),
            platform in prop::collection::vec("[a-z0-9&=+%-]{1,12}", 0..3),
            q in prop::option::of("[^\\s\\p{C}][^\\p{C}]{0,20}[^\\s\\p{C}]"),
            reversed: bool,
            limit in prop::option::of(1u16..=200),
        ) {
            let query = ConnectionQuery {
                health, platform, q, limit,
                sort: ConnectionSort { key: SortKey::Customer, reversed },
                ..ConnectionQuery::default()
            };
            prop_assert_eq!(ConnectionQuery::from_query(&query.to_query()), Ok(query));
        }
    }
}
