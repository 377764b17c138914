//! Webhooks that never came.

pub mod get;
