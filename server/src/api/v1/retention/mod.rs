//! How long things are kept.

pub mod get;
pub mod patch;
