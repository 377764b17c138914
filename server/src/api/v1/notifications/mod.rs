//! What was told.

pub mod get;
pub mod list;
pub mod retry;
