//! Events on their way to endpoints.

pub mod get;
pub mod list;
pub mod retry;
