//! The dialect `faq_v1`, one file a subject.

pub(crate) mod connections;
pub(crate) mod deliveries;
pub(crate) mod link;
pub(crate) mod paging;
pub(crate) mod syncs;
pub(crate) mod tokens;
