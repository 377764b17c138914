//! Linewatch's own health: which processes live, and what it cannot see right now.

pub mod concern;
mod replica;

pub use replica::{SILENT_AFTER, say_alive};
