//! Their JSON. One file a dialect; what all dialects share is here. A new dialect is a new file and an arm in each of these.

mod deliveries;
mod faq_v1;
mod items;
mod lenient;
pub(super) mod openapi_2025;
mod records;
mod shared;

pub(super) use shared::{Grant, Pair, WireError, error, grant, pair};

use super::{Closer, ErrorClass, ListPage, OutgoingPage, SyncRead, Tells, UpstreamError, paging};
use crate::health::record::Record;
use model::{Dialect, Mappings, Paths, UpstreamStatus};

/// The paths that hold for a source that is set so.
pub(super) fn paths(dialect: Dialect, set: &Paths) -> Paths {
    match dialect {
        Dialect::FaqV1 => set.clone(),
        Dialect::Openapi2025 => openapi_2025::paths(set),
    }
}

/// What a status of the list means, and how much that tells.
pub(super) fn word(dialect: Dialect, raw: &str, mappings: &Mappings) -> (Option<UpstreamStatus>, Tells) {
    match dialect {
        Dialect::FaqV1 => (mappings.status(raw), Tells::All),
        Dialect::Openapi2025 => openapi_2025::word(raw, mappings),
    }
}

/// Reads the page of the list that this cursor led to; an item that cannot be read is counted, and costs nothing else.
pub(super) fn list(
    dialect: Dialect,
    body: &[u8],
    mappings: &Mappings,
    cursor: Option<&str>,
) -> Result<ListPage, UpstreamError> {
    match dialect {
        Dialect::FaqV1 => faq_v1::list(body, mappings),
        Dialect::Openapi2025 => openapi_2025::list(body, mappings, paging::number(cursor)),
    }
    .map_err(|why| garbage("a list of connections", &why))
}

/// Reads a connection's status.
pub(super) fn status(body: &[u8], mappings: &Mappings) -> Result<Closer, UpstreamError> {
    faq_v1::status(body, mappings).map_err(|why| garbage("a connection's status", &why))
}

/// Reads how a connection's syncs are going.
pub(super) fn sync(body: &[u8]) -> Result<SyncRead, UpstreamError> {
    faq_v1::sync(body).map_err(|why| garbage("a connection's syncs", &why))
}

/// Reads what the account sees of this connection.
pub(super) fn metadata(body: &[u8], key: &str, mappings: &Mappings) -> Result<Closer, UpstreamError> {
    openapi_2025::metadata(body, key, mappings).map_err(|why| garbage("a connection's metadata", &why))
}

/// Reads what a connection's own token shows.
pub(super) fn current(body: &[u8], mappings: &Mappings) -> Result<Closer, UpstreamError> {
    openapi_2025::current(body, mappings).map_err(|why| garbage("a connection's syncs", &why))
}

/// Reads a page of the log of webhooks; `number` is its own where pages are numbered.
pub(super) fn deliveries(body: &[u8], number: Option<u64>) -> Result<OutgoingPage, UpstreamError> {
    deliveries::page(body, number).map_err(|why| garbage("a list of deliveries", &why))
}

/// Reads the page of records of this number, and whether there is another.
pub(super) fn records(body: &[u8], number: u64) -> Result<(Vec<Record>, bool), UpstreamError> {
    records::page(body, number).map_err(|why| garbage("a list of records", &why))
}

/// Reads whose token it is: the connection's key, and its platform's slug and name, each where it is said.
pub(super) fn whose(body: &[u8]) -> Result<(Option<String>, Vec<String>), UpstreamError> {
    let value = items::whole_answer(body).map_err(|why| garbage("a connection", &why))?;
    let map = shared::object(&value).ok_or_else(|| garbage("a connection", "it is not an object"))?;
    let word = |value: &serde_json::Value| lenient::text(value, items::MOST_TEXT);
    let mut platforms: Vec<String> = Vec::new();
    for name in ["provider", "integration_name", "platform", "system"] {
        let Some(said) = lenient::field(map, &[name]) else { continue };
        match said.as_object() {
            Some(system) => {
                platforms.extend(["slug", "name"].iter().filter_map(|part| word(lenient::field(system, &[part])?)));
            }
            None => platforms.extend(word(said)),
        }
    }
    Ok((items::key(map, &["id", "key"]), platforms))
}

/// An answer that cannot be read. What it says instead is not repeated: it may be anything.
pub(super) fn garbage(what: &str, why: &str) -> UpstreamError {
    let message = format!("Makini's answer cannot be read as {what}: {why}. Check the base URL and the paths.");
    UpstreamError::new(ErrorClass::Garbage, message)
}
