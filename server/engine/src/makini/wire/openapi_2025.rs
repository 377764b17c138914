//! The dialect `openapi_2025`: what Makini's published API description has. `/api/…` without a version, page numbers, no word
//! on syncs but from a connection's own token.
//!
//! Read as leniently as the other. Two lists of words for a state are published, one of them in two spellings, and the answers
//! mix them; what a word proves is decided here, once: see [`Tells`].

use super::{
    items::{self, Items, MOST_TEXT, errors, notes, whole_answer},
    lenient::{field, flag, text, time, whole},
    shared::object,
};
use crate::makini::{Closer, Described, ListPage, Seen, SyncRead, SyncStatus, Tells, error::plain};
use model::{Ability, Mappings, Operation, Paths, UpstreamStatus};
use serde_json::{Map, Value};

/// Where the platforms are listed.
pub(in crate::makini) const PLATFORMS: &str = "/api/system/platforms";
/// Where the account says who it is.
pub(in crate::makini) const CLIENT: &str = "/api/system/client";

/// The paths of this dialect, but where the source names others than the defaults, which are the other dialect's.
pub(super) fn paths(set: &Paths) -> Paths {
    let common = Paths::default();
    let or = |set: &str, common: &str, own: &str| if set == common { own.to_owned() } else { set.to_owned() };
    Paths {
        token: set.token.clone(),
        connections: or(&set.connections, &common.connections, "/api/system/connections"),
        status: or(&set.status, &common.status, "/api/system/connections/{id}/metadata"),
        sync_status: or(&set.sync_status, &common.sync_status, "/api/integrations/current"),
    }
}

/// How every list comes.
#[derive(serde::Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    data: Items<'a>,
    #[serde(default)]
    links: Value,
    #[serde(default)]
    meta: Value,
}

impl<'a> Frame<'a> {
    fn read(body: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(items::reason)
    }

    fn number(&self, name: &str) -> Option<u64> {
        whole(field(self.meta.as_object()?, &[name])?).and_then(|number| u64::try_from(number).ok())
    }

    /// The number of the page after this one. Only numbers are believed: an address could lead anywhere.
    fn next(&self, asked: u64) -> Result<Option<u64>, String> {
        if let Some(current) = self.number("current_page").filter(|current| *current != asked) {
            return Err(format!("page {asked} was asked for, and it is page {current}"));
        }
        let link = || text(field(self.links.as_object()?, &["next"])?, 1);
        let more = self.number("last_page").map_or_else(|| link().is_some(), |last| asked < last);
        if more && self.data.is_empty() {
            return Err(format!("page {asked} is empty, and more are to follow"));
        }
        Ok(more.then_some(asked.saturating_add(1)))
    }
}

/// Reads a page of the list of connections.
pub(super) fn list(body: &[u8], mappings: &Mappings, asked: u64) -> Result<ListPage, String> {
    let frame = Frame::read(body)?;
    let (seen, undecodable) = frame.data.read(|item| read_item(item, mappings));
    let next_cursor = frame.next(asked)?.map(|page| page.to_string());
    Ok(ListPage { seen, next_cursor, total: frame.number("total"), undecodable })
}

fn read_item(raw: Value, mappings: &Mappings) -> Option<Seen> {
    let map = raw.as_object()?;
    let any = |names: &[&str]| text(field(map, names)?, MOST_TEXT);
    let key = items::key(map, &["key", "id"])?;
    let platform_name = any(&["integration_name", "provider"]);
    let word = Word::read(map, &["status", "sync_status"], mappings);
    Some(Seen {
        name: any(&["name", "company_name"]).unwrap_or_else(|| key.clone()),
        email: any(&["email"]),
        platform_slug: platform_name.as_deref().map_or_else(|| "unknown".to_owned(), slug),
        platform_name: platform_name.unwrap_or_else(|| "Unknown".to_owned()),
        metadata: field(map, &["user_metadata", "metadata"]).map(notes).unwrap_or_default(),
        last_good_sync_at: word.last_good_sync_at(map),
        status: word.status,
        raw_status: word.raw,
        tells: word.tells,
        reauthorization_required: word.reauthorization_required,
        updated_at: field(map, &["updated_at"]).and_then(time),
        key,
        raw,
    })
}

/// A slug for a platform that upstream's own list does not name.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter.is_alphanumeric() {
            true => slug.extend(letter.to_lowercase()),
            false if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            false => {}
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "unknown".to_owned() } else { slug.to_owned() }
}

/// A word for a state, and what it is worth.
#[derive(Default)]
struct Word {
    raw: Option<String>,
    status: Option<UpstreamStatus>,
    reauthorization_required: Option<bool>,
    tells: Tells,
}

impl Word {
    fn read(map: &Map<String, Value>, names: &[&str], mappings: &Mappings) -> Self {
        let raw = field(map, names).and_then(|raw| text(raw, MOST_TEXT));
        let (status, tells) = raw.as_deref().map_or((None, Tells::SetUp), |raw| word(raw, mappings));
        let reauthorization_required = field(map, &["reauthorization_required"]).and_then(flag);
        // no such flag is published; where there is one, it says what the words leave open
        let tells = if reauthorization_required.is_some() { Tells::All } else { tells };
        Self { raw, status, reauthorization_required, tells }
    }

    fn is_done(&self) -> bool {
        self.status == Some(UpstreamStatus::Active) && self.raw.as_deref().is_some_and(is_done)
    }

    /// Said outright, or since when it is as the word says, if the word is that a sync is done.
    fn last_good_sync_at(&self, map: &Map<String, Value>) -> Option<chrono::DateTime<chrono::Utc>> {
        let since = || field(map, &["sync_updated_at"]).filter(|_| self.is_done());
        field(map, &["last_successful_sync_at"]).or_else(since).and_then(time)
    }
}

/// Whether a word says that a sync ended well.
fn is_done(raw: &str) -> bool {
    matches!(plain(raw).as_str(), "done" | "fulldone" | "completed")
}

/// What a word means, and how much that tells: “active” says that all is set up, and no more; that a sync is done, or under
/// way, or that the platform refuses the credentials, are other words.
pub(super) fn word(raw: &str, mappings: &Mappings) -> (Option<UpstreamStatus>, Tells) {
    let status = mappings.status(raw);
    let tells = match status {
        None | Some(UpstreamStatus::Fail | UpstreamStatus::Disconnected) => Tells::All,
        Some(UpstreamStatus::Active) if is_done(raw) => Tells::All,
        Some(UpstreamStatus::Active | UpstreamStatus::InProgress | UpstreamStatus::Synchronizing) => Tells::SetUp,
        Some(UpstreamStatus::Pending | UpstreamStatus::Inactive | UpstreamStatus::Offline | UpstreamStatus::Error) => {
            Tells::Flow
        }
    };
    (status, tells)
}

/// Reads what the account sees of one connection: its metadata, which come as a list of the whole connection.
pub(super) fn metadata(body: &[u8], key: &str, mappings: &Mappings) -> Result<Closer, String> {
    let value = whole_answer(body)?;
    let data = value.get("data").unwrap_or(&value);
    let some = data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
    let map = some
        .iter()
        .filter_map(Value::as_object)
        .find(|map| items::key(map, &["key", "id"]).as_deref() == Some(key))
        .ok_or("it says nothing of this connection")?;
    let word = Word::read(map, &["status", "sync_status"], mappings);
    Ok(Closer {
        status: word.status,
        raw_status: word.raw,
        tells: word.tells,
        reauthorization_required: word.reauthorization_required,
        error: errors(map).into_iter().next(),
        ..Closer::default()
    })
}

/// Reads what a connection's own token shows: how its syncs are going.
pub(super) fn current(body: &[u8], mappings: &Mappings) -> Result<Closer, String> {
    let value = whole_answer(body)?;
    let map = object(&value).ok_or("it is not an object")?;
    let word = Word::read(map, &["sync_status", "status"], mappings);
    if word.raw.is_none() && word.reauthorization_required.is_none() {
        return Err("it holds no sync_status".to_owned());
    }
    let status = match word.status {
        Some(UpstreamStatus::InProgress | UpstreamStatus::Synchronizing) => SyncStatus::InProgress,
        Some(UpstreamStatus::Active) if word.is_done() => SyncStatus::Completed,
        Some(UpstreamStatus::Error | UpstreamStatus::Fail) => SyncStatus::Failed,
        _ => SyncStatus::Unknown(word.raw.clone().unwrap_or_default()),
    };
    let errors = errors(map);
    Ok(Closer {
        // the list has a word of its own; this one is shown only where it has to be mapped
        raw_status: word.raw.clone().filter(|_| word.status.is_none()),
        status: word.status,
        tells: word.tells,
        reauthorization_required: match word.status {
            Some(UpstreamStatus::Fail) => Some(true),
            _ => word.reauthorization_required,
        },
        error: errors.first().cloned(),
        sync: Some(SyncRead {
            status,
            last_good_sync_at: word.last_good_sync_at(map),
            next_scheduled_at: field(map, &["next_scheduled_sync_at"]).and_then(time),
            errors,
        }),
        gone: false,
    })
}

/// A page of the platforms.
#[derive(Debug, PartialEq)]
pub(in crate::makini) struct PlatformsPage {
    /// Slug and name of each.
    pub some: Vec<(String, String)>,
    /// The number of the next page.
    pub next: Option<u64>,
}

/// Reads a page of the platforms.
pub(in crate::makini) fn platforms(body: &[u8], asked: u64) -> Result<PlatformsPage, String> {
    let frame = Frame::read(body)?;
    let (some, _) = frame.data.read(|item| {
        let map = item.as_object()?;
        let slug = text(field(map, &["slug", "key"])?, MOST_TEXT)?;
        let name = field(map, &["name"]).and_then(|name| text(name, MOST_TEXT));
        Some((slug.clone(), name.unwrap_or(slug)))
    });
    Ok(PlatformsPage { some, next: frame.next(asked)? })
}

/// What can be done with the records of each platform on a page, by its slug, and the number of the next page.
pub(in crate::makini) type Abilities = (Vec<(String, Vec<Described>)>, Option<u64>);

/// Reads what a page of the platforms says of that; one that says nothing of it is left out.
pub(in crate::makini) fn abilities(body: &[u8], asked: u64) -> Result<Abilities, String> {
    let frame = Frame::read(body)?;
    let (some, _) = frame.data.read(|item| {
        let map = item.as_object()?;
        Some((text(field(map, &["slug", "key"])?, MOST_TEXT)?, described(field(map, &["capabilities"])?)))
    });
    Ok((some, frame.next(asked)?))
}

/// `[{entity, operations [], limits {operation: words}}]`. An operation that is not named cannot be done.
fn described(value: &Value) -> Vec<Described> {
    let mut all = Vec::new();
    for map in value.as_array().into_iter().flatten().filter_map(Value::as_object).take(200) {
        let Some(entity) = field(map, &["entity", "name"]).and_then(|name| text(name, 100)) else { continue };
        let Some(operations) = field(map, &["operations"]).and_then(Value::as_array) else { continue };
        let limits = field(map, &["limits"]).and_then(Value::as_object);
        for operation in Operation::ALL {
            let can = operations.iter().any(|name| name.as_str().is_some_and(|name| plain(name) == operation.code()));
            let limit = limits.and_then(|limits| text(field(limits, &[operation.code()])?, MOST_TEXT)).filter(|_| can);
            let ability = match (can, &limit) {
                (false, _) => Ability::No,
                (true, Some(_)) => Ability::Limited,
                (true, None) => Ability::Yes,
            };
            all.push(Described { entity: entity.clone(), operation: *operation, ability, limit });
        }
    }
    all
}

/// Reads the account's name.
pub(in crate::makini) fn client(body: &[u8]) -> Result<String, String> {
    let value = whole_answer(body)?;
    let map = object(&value).ok_or("it is not an object")?;
    field(map, &["name", "email", "id"])
        .and_then(|name| text(name, MOST_TEXT))
        .ok_or_else(|| "it has no name".to_owned())
}

#[cfg(test)]
mod tests;
