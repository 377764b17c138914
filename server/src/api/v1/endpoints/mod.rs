//! URLs of the user's own applications, to which events are forwarded.

pub mod create;
pub mod get;
pub mod list;
pub mod patch;
pub mod remove;
pub mod rotate_secret;
pub mod test;
