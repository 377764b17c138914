//! Customers' links to their systems.

pub mod availability;
pub mod capabilities;
pub mod check;
pub mod evidence;
pub mod get;
pub mod links;
pub mod list;
pub mod make_link;
pub mod patch;
pub mod sync;
pub mod syncs;
pub mod timeline;
pub mod told;
