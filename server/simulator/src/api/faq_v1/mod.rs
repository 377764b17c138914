//! The dialect `faq_v1`: `/api/v1`, cursors. One file a subject.

pub(crate) mod connections;
pub(crate) mod deliveries;
pub(crate) mod paging;
pub(crate) mod records;
pub(crate) mod syncs;
