//! Makini accounts that are watched.

pub mod add_secret;
pub mod create;
pub mod get;
pub mod list;
pub mod makini_deliveries;
pub mod patch;
pub mod retire_secret;
pub mod retry_makini_delivery;
pub mod test;
