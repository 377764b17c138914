//! The machines' door: `/api/v1`. Versioned, documented, pinned by `openapi.json`.

pub mod csv;
pub mod input;
pub mod openapi;
pub mod problem;
pub mod v1;
