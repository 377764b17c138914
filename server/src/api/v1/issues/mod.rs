//! Problems as things that people take, wait for and end.

pub mod add_note;
pub mod get;
pub mod list;
pub mod notes;
pub mod patch;
