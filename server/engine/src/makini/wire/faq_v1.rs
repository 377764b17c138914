//! The dialect `faq_v1`: what Makini's public questions and answers tell, with our own choice where they are silent.
//!
//! Read leniently: a field more, a field less, a number for a text break nothing. An item that cannot be read at all, or is
//! absurdly large, is counted and left out.

use super::{
    lenient::{clean, field, flag, text, time, whole},
    shared::object,
};
use crate::makini::{
    Closer, ListPage, ReportedError, Seen, SyncRead, SyncStatus,
    error::{plain, tidy},
    paging,
};
use model::Mappings;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};
use std::fmt;

/// More items than this are no page.
const MOST_ITEMS: usize = 10_000;
/// An item of more bytes than this is left out.
const MOST_ITEM_BYTES: usize = 64 * 1024;
/// A key of more characters than this is none.
const MOST_KEY: usize = 200;
/// Other texts are cut.
const MOST_TEXT: usize = 500;
/// More errors than these tell nothing more.
const MOST_ERRORS: usize = 20;

/// The page's frame; items stay bytes until each is read by itself.
#[derive(serde::Deserialize)]
struct Frame<'a> {
    #[serde(borrow, alias = "items", alias = "connections")]
    data: Items<'a>,
    #[serde(default, alias = "nextCursor")]
    next_cursor: Value,
    #[serde(default, alias = "total_count", alias = "totalCount")]
    total: Value,
}

struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting;
        impl<'de> Visitor<'de> for Counting {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of connections")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == MOST_ITEMS {
                        while seq.next_element::<IgnoredAny>()?.is_some() {}
                        return Err(A::Error::custom(format!("more than {MOST_ITEMS} items on one page")));
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Counting).map(Self)
    }
}

/// Reads a page of the list.
pub(super) fn list(body: &[u8], mappings: &Mappings) -> Result<ListPage, String> {
    let frame: Frame<'_> = serde_json::from_slice(body).map_err(reason)?;
    let mut seen = Vec::with_capacity(frame.data.0.len());
    let mut undecodable = 0;
    for item in frame.data.0 {
        match read_item(item, mappings) {
            Some(item) => seen.push(item),
            None => undecodable += 1,
        }
    }
    let total = whole(&frame.total).and_then(|total| u64::try_from(total).ok());
    Ok(ListPage { seen, next_cursor: paging::next(&frame.next_cursor)?, total, undecodable })
}

fn read_item(item: &RawValue, mappings: &Mappings) -> Option<Seen> {
    if item.get().len() > MOST_ITEM_BYTES {
        return None;
    }
    let raw = clean(serde_json::from_str(item.get()).ok()?);
    let map = raw.as_object()?;
    let any = |names: &[&str]| text(field(map, names)?, MOST_TEXT);
    let key = text(field(map, &["id", "key"])?, MOST_KEY + 1).filter(|key| key.chars().count() <= MOST_KEY)?;
    let (platform_slug, platform_name) = platform(map);
    let raw_status = any(&["status"]);
    Some(Seen {
        name: any(&["name", "company_name"]).unwrap_or_else(|| key.clone()),
        email: any(&["email"]),
        platform_slug,
        platform_name,
        metadata: field(map, &["metadata", "user_metadata"]).map(metadata).unwrap_or_default(),
        status: raw_status.as_deref().and_then(|raw| mappings.status(raw)),
        raw_status,
        reauthorization_required: field(map, &["reauthorization_required"]).and_then(flag),
        last_good_sync_at: field(map, &["last_successful_sync_at"]).and_then(time),
        updated_at: field(map, &["updated_at"]).and_then(time),
        key,
        raw,
    })
}

/// Slug and name, from an object or a text.
fn platform(map: &Map<String, Value>) -> (String, String) {
    const NAMES: [&str; 4] = ["system", "platform", "provider", "integration_name"];
    let found = field(map, &NAMES);
    let part = |names: &[&str]| text(field(found?.as_object()?, names)?, MOST_TEXT);
    let whole = || found.and_then(|value| text(value, MOST_TEXT));
    let slug = part(&["slug", "id", "key"]).or_else(|| part(&["name"])).or_else(whole);
    let name = part(&["name"]).or_else(|| slug.clone());
    (slug.unwrap_or_else(|| "unknown".to_owned()), name.unwrap_or_else(|| "Unknown".to_owned()))
}

/// An object, or a list of `{key, value}`.
fn metadata(value: &Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.clone(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| Some((text(item.get("key")?, MOST_TEXT)?, item.get("value")?.clone())))
            .collect(),
        _ => Map::new(),
    }
}

/// Reads a connection's status.
pub(super) fn status(body: &[u8], mappings: &Mappings) -> Result<Closer, String> {
    let value = clean(serde_json::from_slice(body).map_err(reason)?);
    let map = object(&value).ok_or("it is not an object")?;
    let raw_status = field(map, &["status"]).and_then(|status| text(status, MOST_TEXT));
    let reauthorization_required = field(map, &["reauthorization_required"]).and_then(flag);
    if raw_status.is_none() && reauthorization_required.is_none() {
        return Err("it holds no status".to_owned());
    }
    Ok(Closer {
        status: raw_status.as_deref().and_then(|raw| mappings.status(raw)),
        raw_status,
        reauthorization_required,
        error: errors(map).into_iter().next(),
        ..Closer::default()
    })
}

/// Reads how a connection's syncs are going.
pub(super) fn sync(body: &[u8]) -> Result<SyncRead, String> {
    let value = clean(serde_json::from_slice(body).map_err(reason)?);
    let map = object(&value).ok_or("it is not an object")?;
    let raw = field(map, &["status", "sync_status"]).and_then(|status| text(status, MOST_TEXT));
    let last = field(map, &["last_successful_sync_at"]);
    if raw.is_none() && last.is_none() {
        return Err("it holds no status".to_owned());
    }
    Ok(SyncRead {
        status: sync_status(raw),
        last_good_sync_at: last.and_then(time),
        next_scheduled_at: field(map, &["next_scheduled_sync_at"]).and_then(time),
        errors: errors(map),
    })
}

fn sync_status(raw: Option<String>) -> SyncStatus {
    let raw = raw.unwrap_or_default();
    match plain(&raw).as_str() {
        "inprogress" | "running" | "syncing" | "synchronizing" => SyncStatus::InProgress,
        "completed" | "complete" | "done" | "fulldone" | "success" | "succeeded" => SyncStatus::Completed,
        "failed" | "fail" | "failure" | "error" => SyncStatus::Failed,
        _ => SyncStatus::Unknown(raw),
    }
}

/// What is under `error` and `errors`: objects or texts, one or many.
fn errors(map: &Map<String, Value>) -> Vec<ReportedError> {
    let one = |value: &Value| match value {
        Value::Object(map) => {
            let part = |names: &[&str]| text(field(map, names)?, 4 * MOST_TEXT).map(|text| tidy(&text));
            let (code, message) = (part(&["code"]), part(&["message", "detail"]));
            let said = message.or_else(|| code.clone())?;
            Some(ReportedError { code, message: said })
        }
        other => Some(ReportedError { code: None, message: tidy(&text(other, 4 * MOST_TEXT)?) }),
    };
    ["error", "errors"]
        .iter()
        .filter_map(|name| field(map, &[name]))
        .flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice))
        .filter_map(one)
        .take(MOST_ERRORS)
        .collect()
}

/// Why JSON could not be read, without repeating any of it.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn reason(error: serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => format!("it is JSON of another shape (line {}, column {})", error.line(), error.column()),
        Category::Eof => "it ends too early".to_owned(),
        Category::Syntax | Category::Io => "it is not JSON".to_owned(),
    }
}

#[cfg(test)]
mod tests;
