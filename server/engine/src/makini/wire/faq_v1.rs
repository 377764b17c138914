//! The dialect `faq_v1`: what Makini's public questions and answers tell, with our own choice where they are silent.
//!
//! Read leniently: a field more, a field less, a number for a text break nothing. An item that cannot be read at all, or is
//! absurdly large, is counted and left out.

use super::{
    items::{self, Items, MOST_TEXT, errors, notes, whole_answer},
    lenient::{field, flag, text, time, whole},
    shared::object,
};
use crate::makini::{Closer, ListPage, Seen, SyncRead, SyncStatus, Tells, error::plain, paging};
use model::Mappings;
use serde_json::{Map, Value};

/// The page's frame.
#[derive(serde::Deserialize)]
struct Frame<'a> {
    #[serde(borrow, alias = "items", alias = "connections")]
    data: Items<'a>,
    #[serde(default, alias = "nextCursor")]
    next_cursor: Value,
    #[serde(default, alias = "total_count", alias = "totalCount")]
    total: Value,
}

/// Reads a page of the list.
pub(super) fn list(body: &[u8], mappings: &Mappings) -> Result<ListPage, String> {
    let frame: Frame<'_> = serde_json::from_slice(body).map_err(items::reason)?;
    let (seen, undecodable) = frame.data.read(|item| read_item(item, mappings));
    let total = whole(&frame.total).and_then(|total| u64::try_from(total).ok());
    Ok(ListPage { seen, next_cursor: paging::next(&frame.next_cursor)?, total, undecodable })
}

fn read_item(raw: Value, mappings: &Mappings) -> Option<Seen> {
    let map = raw.as_object()?;
    let any = |names: &[&str]| text(field(map, names)?, MOST_TEXT);
    let key = items::key(map, &["id", "key"])?;
    let (platform_slug, platform_name) = platform(map);
    let raw_status = any(&["status"]);
    Some(Seen {
        name: any(&["name", "company_name"]).unwrap_or_else(|| key.clone()),
        email: any(&["email"]),
        platform_slug,
        platform_name,
        metadata: field(map, &["metadata", "user_metadata"]).map(notes).unwrap_or_default(),
        status: raw_status.as_deref().and_then(|raw| mappings.status(raw)),
        raw_status,
        tells: Tells::All,
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

/// Reads a connection's status.
pub(super) fn status(body: &[u8], mappings: &Mappings) -> Result<Closer, String> {
    let value = whole_answer(body)?;
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
    let value = whole_answer(body)?;
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

#[cfg(test)]
mod tests;
