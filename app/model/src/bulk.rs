//! Doing one thing with many: over a filter, with a preview, progress, pause and cancel.

use crate::words::words;
use crate::{BulkId, ConnectionRef, Refusal};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// What is done.
    BulkKind {
        /// Ask upstream about each now.
        Check = "check", "Check now";
        /// Start a sync of each.
        Sync = "sync", "Sync now";
        /// Acknowledge the open issues of each.
        Acknowledge = "acknowledge", "Acknowledge";
        /// Give the live issues of each to somebody.
        Assign = "assign", "Assign";
    }
}

words! {
    /// Where it stands.
    BulkState {
        /// Under way.
        Running = "running", "Running";
        /// Stopped for now by a person.
        Paused = "paused", "Paused";
        /// Ended by a person.
        Cancelled = "cancelled", "Cancelled";
        /// At its end.
        Done = "done", "Done";
    }
}

/// What to do, and with which connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBulk {
    /// What.
    pub kind: BulkKind,
    /// With which: the filters of Connections as an object, `{"health": ["offline"], "platform": ["sap"], "id": ["…"]}`; a single
    /// value need not be in a list. Empty or absent: all.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub filter: BulkFilter,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
    /// With `assign`: to whom; null takes them from whoever has them.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(max_length = 100))]
    pub assignee: Option<String>,
    /// With `sync`: what to read.
    #[serde(default)]
    pub sync: Option<crate::SyncKind>,
}

impl NewBulk {
    /// Reads what the address of a page asks to be done: `kind`, and the filters of Connections. Who selects rows, by `id`, means
    /// those alone; order and page do not count.
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let (mut kind, mut filter) = (None, BulkFilter::default());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match &*name {
                _ if value.is_empty() => {}
                "sort" | "cursor" | "limit" => {}
                "kind" => kind = Some(value.parse().map_err(|message: String| Refusal::invalid("kind", message))?),
                _ => filter.0.entry(name.into_owned()).or_default().push(value.to_owned()),
            }
        }
        if filter.0.contains_key("id") {
            filter.0.retain(|name, _| name == "id");
        }
        let kind = kind.ok_or_else(|| Refusal::invalid("kind", "It does not say what to do."))?;
        Ok(Self { kind, filter, dry_run: false, assignee: None, sync: None })
    }
}

/// Filters by name, each with its values; the names of Connections, and `id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BulkFilter(#[serde(deserialize_with = "one_or_many")] pub std::collections::BTreeMap<String, Vec<String>>);

fn one_or_many<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<std::collections::BTreeMap<String, Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let read: std::collections::BTreeMap<String, OneOrMany> = Deserialize::deserialize(from)?;
    let many = |values| match values {
        OneOrMany::One(value) => vec![value],
        OneOrMany::Many(values) => values,
    };
    Ok(read.into_iter().map(|(name, values)| (name, many(values))).collect())
}

/// One that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BulkFailure {
    /// Which.
    pub connection: ConnectionRef,
    /// Why.
    pub message: String,
}

/// Something done with many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Bulk {
    /// Its id; null for a preview.
    pub id: Option<BulkId>,
    /// What is done.
    pub kind: BulkKind,
    /// Where it stands; null for a preview.
    pub state: Option<BulkState>,
    /// With how many connections.
    pub total: i64,
    /// Done.
    pub done: i64,
    /// Failed.
    pub failed: i64,
    /// Left out, because there was nothing to do with them.
    pub skipped: i64,
    /// Still to do.
    pub remaining: i64,
    /// Who started it.
    pub by: String,
    /// When; null for a preview.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Those that failed, at most 100, newest first.
    pub failures: Vec<BulkFailure>,
    /// Until when what it changed on issues can be taken back; null where that cannot be, or was done.
    pub undo_until: Option<DateTime<Utc>>,
    /// What came of taking it back; null unless somebody did.
    pub undone: Option<BulkUndone>,
}

/// What came of taking back what was changed on many issues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BulkUndone {
    /// How many issues are again as they were before.
    pub put_back: i64,
    /// How many were left as they are, because somebody or something had changed them meanwhile.
    pub left: i64,
    /// Who took it back.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What may be done with one that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkPatch {
    /// `paused` or `running`.
    pub state: BulkState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_selects_rows_means_those_alone() {
        let wish =
            NewBulk::from_query("kind=check&health=offline&platform=sap%2Fs4&q=a+b&sort=customer&limit=50").unwrap();
        assert_eq!(wish.kind, BulkKind::Check);
        let filter: Vec<_> = wish.filter.0.iter().map(|(name, values)| (name.as_str(), values[0].as_str())).collect();
        assert_eq!(filter, [("health", "offline"), ("platform", "sap/s4"), ("q", "a b")]);
        let wish = NewBulk::from_query("kind=sync&health=offline&id=one&id=two").unwrap();
        assert_eq!(
            wish.filter.0.into_iter().collect::<Vec<_>>(),
            [("id".to_owned(), vec!["one".into(), "two".into()])]
        );
        assert!(NewBulk::from_query("health=offline").is_err());
    }
}
