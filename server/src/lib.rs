//! Doors and wiring: what comes in over HTTP, what a person starts on the command line, and the one place that knows every type.
//!
//! | room | knows |
//! |---|---|
//! | [`command`] | what `linewatch` can be told to do |
//! | [`config`] | every environment variable, one section a file |
//! | [`wiring`] | from a configuration to a running Linewatch |
//! | [`lifecycle`] | soft stop, hard stop, honest exit code |
//! | [`router`] | every route, on one page; [`middleware`]: one layer a file |
//! | [`webhooks`], [`api`], [`site`], [`auth`] | the doors: upstream's, the machines', the browser's, and the one in front of them |
//! | [`reconnect`] | the customer's door: a link in a mail, and the way back from Makini Link |
//! | [`health`], [`metrics`], [`telemetry`] | how Linewatch itself is watched |
//! | [`postgres`] | the embedded database |
//!
//! An `if` about the business in here is a bug: doors translate and ask the desk, [`model::Backend`].

pub mod acknowledge;
pub mod api;
pub mod auth;
mod certificate;
pub mod changes;
pub mod command;
pub mod config;
pub mod health;
pub mod lifecycle;
pub mod listen;
pub mod metrics;
pub mod middleware;
pub mod postgres;
pub mod reconnect;
pub mod router;
pub mod site;
pub mod telemetry;
pub mod webhooks;
pub mod wiring;

/// This version, as `X-Linewatch-Version` and `--version` say it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
