//! What to alert on.

pub mod changes;
pub mod create;
pub mod get;
pub mod list;
pub mod patch;
pub mod preview;
pub mod remove;
