//! Who is told.

pub mod create;
pub mod explain;
pub mod get;
pub mod list;
pub mod patch;
pub mod remove;
