//! The organisations that own connections.

pub mod get;
pub mod list;
pub mod patch;
