//! Doing one thing with many connections.

pub mod cancel;
pub mod get;
pub mod patch;
pub mod start;
pub mod undo;
