//! Requests turned away at the webhook door.

pub mod get;
