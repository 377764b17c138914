//! Questions about connections, kept under names.

pub mod create;
pub mod get;
pub mod list;
pub mod remove;
