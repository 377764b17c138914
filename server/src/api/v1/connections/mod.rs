//! Customers' links to their systems.

pub mod check;
pub mod evidence;
pub mod get;
pub mod list;
pub mod patch;
pub mod timeline;
