//! Alerts that are not told for a while.

pub mod create;
pub mod get;
pub mod list;
pub mod remove;
