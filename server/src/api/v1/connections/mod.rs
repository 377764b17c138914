//! Customers' links to their systems.

pub mod check;
pub mod evidence;
pub mod get;
pub mod links;
pub mod list;
pub mod make_link;
pub mod patch;
pub mod timeline;
