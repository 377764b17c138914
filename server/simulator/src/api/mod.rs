//! What clients meet. One folder a dialect; what both dialects say in the same way stands beside them.

pub(crate) mod authorize;
pub(crate) mod deliveries;
pub(crate) mod faq_v1;
pub(crate) mod gate;
pub(crate) mod link;
pub(crate) mod openapi_2025;
pub(crate) mod records;
pub(crate) mod tokens;
