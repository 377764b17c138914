//! The dialect `openapi_2025`: `/api/…` without a version, page numbers, entity-shaped webhooks. One file a subject.
//!
//! Where Makini's documents are silent or disagree, this is chosen:
//! * Everything that goes well is answered with 200, as nothing else is documented; one thing stands under `data`, but for
//!   tokens and `sync/status`.
//! * A connection's `status` also says `fail`, `error` and `offline`; `integration_name` is the platform's slug.
//! * `sync_status` is spelled in both ways, each connection keeping to one; see [`Spelling`](crate::Spelling).
//! * Events about connections are those of the other dialect. Beside them come the bare ones about records: purchase orders,
//!   work orders and assets, never sites, of which there are none here.
//! * The log of webhooks is as in the other dialect, but by page.

pub(crate) mod account;
pub(crate) mod add;
pub(crate) mod connections;
pub(crate) mod current;
pub(crate) mod deliveries;
pub(crate) mod metadata;
pub(crate) mod paging;
pub(crate) mod records;
pub(crate) mod words;
