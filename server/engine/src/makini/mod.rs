//! The upstream client: how we ask Makini.
//!
//! ```text
//! client       what may be asked: list, one, test (trial)    wire       their JSON, one file a dialect
//! signed_in    what a customer's new sign-in opens
//! look         one connection, closer                        platforms  their names, where the list has only a word
//! start        a sync, because somebody wants it             abilities  what can be done with their records
//! deliveries   what they could not deliver to us       records    which records of a connection changed
//! auth, token  with whose token                              error      what went wrong, and whether to try again
//! transport    one exchange: budget, send, read, measure     paging     cursors, page numbers and URLs
//! budget       how often we may ask, and when not at all: bucket (our rate), retry_after (their wish), circuit (they are down)
//! ```
//!
//! It never tries again by itself, but once: when our token is refused, with a new one. Trying again is the poller's, which
//! sees the whole fleet. And it never issues or refreshes a token that is not Linewatch's to issue: doing so could cut off the
//! very customers that it watches.

mod abilities;
mod auth;
mod bucket;
mod budget;
mod circuit;
mod client;
mod deliveries;
mod error;
mod look;
mod paging;
mod platforms;
mod records;
mod retry_after;
mod signed_in;
mod start;
mod token;
mod transport;
mod trial;
mod wire;

pub use abilities::Described;
pub use budget::{BudgetState, CircuitState};
pub use client::{Upstream, UpstreamConfig};
pub use deliveries::{Outgoing, OutgoingPage};
pub use error::{ErrorClass, UpstreamError};
pub use paging::PAGE_SIZE;
pub use records::RecordsRead;
pub use signed_in::{Given, Whose};
pub use start::SyncStart;

use chrono::{DateTime, Utc};
use model::{Dialect, Mappings, UpstreamStatus};
use serde_json::{Map, Value};

/// What upstream answered, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// When *we sent* the (first) request: whatever it says is at least as young as this.
    pub sent_at: DateTime<Utc>,
    /// When the (last) answer was here.
    pub received_at: DateTime<Utc>,
    /// Upstream's own clock, from the first answer's `Date`; whole seconds.
    pub upstream_date: Option<DateTime<Utc>>,
    /// The version of its API, as it names it.
    pub api_version: Option<String>,
    /// The (last) request's id, which upstream's support asks for.
    pub request_id: Option<String>,
}

/// One page of the list of connections.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPage {
    /// What could be read.
    pub seen: Vec<Seen>,
    /// Where the next page begins; none: this was the last.
    pub next_cursor: Option<String>,
    /// How many there are in all, where upstream says so.
    pub total: Option<u64>,
    /// Items that could not be read. Where this is not 0, what is missing from the list may not be gone.
    pub undecodable: u32,
}

/// How much a status tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tells {
    /// Whether the customer is signed in, and how syncs are going.
    #[default]
    All,
    /// How syncs are going, but not whether the customer is signed in.
    Flow,
    /// That the connection is set up, and nothing of how it fares.
    SetUp,
}

/// Whether the list itself tells how syncs are going. Where it does not, that is learned by looking at each connection, if we
/// may, and from webhooks.
pub const fn list_tells_syncs(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::FaqV1)
}

/// What a status of the list means, none if no mapping knows it, and how much that tells.
pub fn word(dialect: Dialect, raw: &str, mappings: &Mappings) -> (Option<UpstreamStatus>, Tells) {
    wire::word(dialect, raw, mappings)
}

/// One connection as the list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Upstream's identifier.
    pub key: String,
    /// Its name; its key where it has none.
    pub name: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its platform; `unknown` where upstream does not say.
    pub platform_slug: String,
    /// The platform's name for people.
    pub platform_name: String,
    /// What the account's owner has noted of it.
    pub metadata: Map<String, Value>,
    /// The status, letter for letter.
    pub raw_status: Option<String>,
    /// What that means; none if no mapping knows it.
    pub status: Option<UpstreamStatus>,
    /// How much of it counts.
    pub tells: Tells,
    /// Whether the customer must authorize again, where upstream says so.
    pub reauthorization_required: Option<bool>,
    /// When a sync last ended well.
    pub last_good_sync_at: Option<DateTime<Utc>>,
    /// When it last changed upstream.
    pub updated_at: Option<DateTime<Utc>>,
    /// All of it. Holds no NUL, so that Postgres takes it.
    pub raw: Value,
}

/// A closer look at one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Closer {
    /// The status, letter for letter.
    pub raw_status: Option<String>,
    /// What that means; none if no mapping knows it. `Offline` too when upstream answers that the system is unreachable.
    pub status: Option<UpstreamStatus>,
    /// How much of it counts.
    pub tells: Tells,
    /// Whether the customer must authorize again, where upstream says so: by the field or by the error's code.
    pub reauthorization_required: Option<bool>,
    /// Its syncs; none if that request was refused in a way that tells nothing of the connection, or takes a token that we
    /// do not have.
    pub sync: Option<SyncRead>,
    /// What upstream says is wrong.
    pub error: Option<ReportedError>,
    /// Upstream has no such connection.
    pub gone: bool,
}

/// How a connection's syncs are going.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncRead {
    /// The newest one.
    pub status: SyncStatus,
    /// When one last ended well.
    pub last_good_sync_at: Option<DateTime<Utc>>,
    /// When the next one is due.
    pub next_scheduled_at: Option<DateTime<Utc>>,
    /// What went wrong, as upstream says it.
    pub errors: Vec<ReportedError>,
}

/// How a sync is going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncStatus {
    /// Under way.
    InProgress,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// A word we do not know, letter for letter; empty if there is none.
    Unknown(String),
}

/// An error in upstream's own words: one line, at most 500 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedError {
    /// Its code, such as `REAUTHORIZATION_REQUIRED`.
    pub code: Option<String>,
    /// Its message.
    pub message: String,
}
