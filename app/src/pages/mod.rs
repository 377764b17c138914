//! The screens: one file each.

pub(crate) mod bulk;
pub(crate) mod bulk_new;
pub(crate) mod connection;
pub(crate) mod connections;
pub(crate) mod customer;
pub(crate) mod customers;
pub(crate) mod endpoint;
pub(crate) mod endpoint_new;
pub(crate) mod endpoints;
pub(crate) mod event;
pub(crate) mod events;
pub(crate) mod failed;
pub(crate) mod issue;
pub(crate) mod issues;
pub(crate) mod login;
pub(crate) mod makini_deliveries;
pub(crate) mod not_found;
pub(crate) mod overview;
pub(crate) mod retention;
pub(crate) mod retry;
pub(crate) mod retry_new;
pub(crate) mod source;
pub(crate) mod source_new;
pub(crate) mod sources;
pub(crate) mod system;
