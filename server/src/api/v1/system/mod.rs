//! Linewatch itself.

pub mod get;
