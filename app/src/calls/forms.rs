//! Forms as browsers post them: texts, each of the name of the field that it becomes.

#[cfg(feature = "ssr")]
mod read;
#[cfg(feature = "ssr")]
pub(crate) mod read_alerts;
#[cfg(feature = "ssr")]
mod read_issue;
#[cfg(feature = "ssr")]
mod read_webhook;
mod said;

pub use said::Said;

use serde::{Deserialize, Serialize};

/// What is ours on a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionForm {
    /// Which connection.
    pub id: String,
    /// Who looks after it.
    pub owner: String,
    /// Tags, with commas between them.
    pub tags: String,
    /// How often a sync is expected.
    pub cadence_seconds: String,
    /// A note.
    pub note: String,
}

/// What is ours on a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerForm {
    /// Which customer.
    pub id: String,
    /// How much it matters.
    pub tier: String,
    /// Tags, with commas between them.
    pub tags: String,
    /// Who looks after it.
    pub owner: String,
    /// How to reach it.
    pub contact: String,
    /// A note.
    pub note: String,
    /// The version that was looked at.
    pub version: String,
}

/// A view to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewForm {
    /// Its name.
    pub name: String,
    /// The question, as in the address.
    pub query: String,
    /// Whether everybody sees it; empty: no.
    pub shared: String,
}

/// A source, new or changed: each field is the text of the field of the same name in `model::NewSource` or `SourcePatch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceForm {
    pub name: String,
    pub environment: String,
    pub dialect: String,
    pub base_url: String,
    pub client_id: String,
    pub client_secret: String,
    pub webhook_secret: String,
    pub token_ownership: String,
    pub redirect: String,
    pub authorize_url: String,
    pub enabled: String,
    pub customer_key: String,
    pub poll_interval_seconds: String,
    pub rate_per_minute: String,
    pub cadence_seconds: String,
    pub late_factor: String,
    pub late_grace_seconds: String,
    pub proof_allowance_seconds: String,
    pub mappings: String,
    pub records: String,
    pub record_entities: String,
    pub record_minutes: String,
    pub record_connections: String,
    pub version: String,
}

/// One thing done with an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IssueForm {
    /// Which issue.
    pub id: String,
    /// The version that was looked at.
    pub version: String,
    /// What to do: `acknowledge`, `assign`, `wait`, `snooze`, `resolve` or `reopen`.
    pub act: String,
    /// With `assign`: to whom; empty takes it from whoever has it.
    pub assignee: String,
    /// With `snooze`: `1h`, a moment as in the API, or a date and time in UTC as a browser's field writes it.
    pub until: String,
}

/// One thing done with several issues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IssuesForm {
    /// Which, each as `id:version`.
    pub picked: Vec<String>,
    /// Only this one, whatever is picked.
    pub only: String,
    /// What to do: `acknowledge` or `assign`.
    pub act: String,
    /// With `assign`: to whom.
    pub assignee: String,
}

/// Something to do with many connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BulkForm {
    /// What, and with which, as the address of the page that asked says it.
    pub wish: String,
    /// With `assign`: to whom; empty takes them from whoever has them.
    pub assignee: String,
}

/// An endpoint, new or changed: each field is the text of the field of the same name in `model::NewEndpoint`; of its filter, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointForm {
    pub name: String,
    pub url: String,
    /// One a line.
    pub kinds: String,
    pub sources: Vec<String>,
    pub platforms: Vec<String>,
    pub environments: Vec<String>,
    /// Kept as they are: ids with commas between them.
    pub customers: String,
    pub ordered: String,
    pub concurrency: String,
    pub rate_per_second: String,
    pub owner: String,
    pub version: String,
}

/// Many to be tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetryForm {
    /// Which, as the address of the failed list says it.
    pub wish: String,
    /// How many a second.
    pub rate: String,
}

/// How long things are kept, in days; and the names of fields that are not shown, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetentionForm {
    pub events_days: String,
    pub deliveries_days: String,
    pub evidence_days: String,
    pub rejections_days: String,
    pub gaps_days: String,
    pub notifications_days: String,
    pub redacted_fields: String,
    pub version: String,
}
