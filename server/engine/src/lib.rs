//! The machinery of Linewatch: it sees, hears, judges and remembers. No axum and no leptos in here.
//!
//! Walks through it: a webhook goes `webhook::accept` → `webhook::process` → `health::observe`; a poll goes `poll` → `makini` →
//! `health::observe`; a question goes `desk` → `store`. Whatever is to be done is a row with a due time, leased by `work`.

pub mod alert;
pub mod clock;
pub mod desk;
pub mod health;
pub mod housekeeping;
pub mod http;
pub mod live;
pub mod makini;
pub mod notify;
pub mod people;
pub mod poll;
pub mod reconnect;
pub mod relay;
pub mod store;
pub mod system;
pub mod tell;
pub mod vault;
pub mod webhook;
pub mod work;
