//! Times of work during which nobody is told.

pub mod create;
pub mod get;
pub mod list;
pub mod remove;
