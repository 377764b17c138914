//! What fires.

pub mod acknowledge;
pub mod get;
pub mod list;
