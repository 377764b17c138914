//! Everything that failed.

pub mod groups;
pub mod list;
pub mod summary;
