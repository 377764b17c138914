//! Their JSON. One file a dialect; what all dialects share is here. A new dialect is a new file and an arm in each of these.

mod faq_v1;
mod lenient;
mod shared;

pub(super) use shared::{Grant, Pair, WireError, error, grant, pair};

use super::{Closer, ErrorClass, ListPage, SyncRead, UpstreamError};
use model::{Dialect, Mappings};

/// A dialect that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// Cursors, `/api/v1`.
    FaqV1,
}

impl Spoken {
    /// Whether we speak it.
    pub(super) fn new(dialect: Dialect) -> Result<Self, UpstreamError> {
        match dialect {
            Dialect::FaqV1 => Ok(Self::FaqV1),
            Dialect::Openapi2025 => Err(UpstreamError::new(
                ErrorClass::DialectNotServed,
                format!(
                    "Linewatch does not speak the dialect “{}” yet. Set the source's dialect to “{}”.",
                    dialect.code(),
                    Dialect::FaqV1.code()
                ),
            )),
        }
    }

    /// Reads a page of the list; an item that cannot be read is counted, and costs nothing else.
    pub(super) fn list(self, body: &[u8], mappings: &Mappings) -> Result<ListPage, UpstreamError> {
        match self {
            Self::FaqV1 => faq_v1::list(body, mappings),
        }
        .map_err(|why| garbage("a list of connections", &why))
    }

    /// Reads a connection's status.
    pub(super) fn status(self, body: &[u8], mappings: &Mappings) -> Result<Closer, UpstreamError> {
        match self {
            Self::FaqV1 => faq_v1::status(body, mappings),
        }
        .map_err(|why| garbage("a connection's status", &why))
    }

    /// Reads how a connection's syncs are going.
    pub(super) fn sync(self, body: &[u8]) -> Result<SyncRead, UpstreamError> {
        match self {
            Self::FaqV1 => faq_v1::sync(body),
        }
        .map_err(|why| garbage("a connection's syncs", &why))
    }
}

/// An answer that cannot be read. What it says instead is not repeated: it may be anything.
pub(super) fn garbage(what: &str, why: &str) -> UpstreamError {
    let message = format!("Makini's answer cannot be read as {what}: {why}. Check the base URL and the paths.");
    UpstreamError::new(ErrorClass::Garbage, message)
}
