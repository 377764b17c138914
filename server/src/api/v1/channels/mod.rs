//! By what means people are told.

pub mod create;
pub mod get;
pub mod list;
pub mod patch;
pub mod remove;
pub mod test;
