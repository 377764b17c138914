//! The screens: one file each.

pub(crate) mod bulk;
pub(crate) mod bulk_new;
pub(crate) mod connection;
pub(crate) mod connections;
pub(crate) mod customer;
pub(crate) mod customers;
pub(crate) mod issue;
pub(crate) mod issues;
pub(crate) mod login;
pub(crate) mod not_found;
pub(crate) mod overview;
pub(crate) mod source;
pub(crate) mod source_new;
pub(crate) mod sources;
pub(crate) mod system;
