//! Webhooks received from Makini.

pub mod get;
pub mod list;
pub mod retry;
pub mod reveal;
