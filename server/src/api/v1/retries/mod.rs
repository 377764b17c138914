//! Trying many again.

pub mod cancel;
pub mod get;
pub mod patch;
pub mod start;
