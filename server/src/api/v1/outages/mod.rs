//! One issue above many.

pub mod get;
pub mod list;
pub mod told;
