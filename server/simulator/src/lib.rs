//! A pretend Makini: enough of its API, its webhooks and its customers' misfortunes to run, show and test whoever watches it.
//!
//! It imports nothing of Linewatch's, so that it can prove Linewatch wrong: its wire format is written from the public facts
//! alone. One call starts it, in this process, on a port of its own:
//!
//! ```no_run
//! # async fn example() -> Result<(), simulator::Error> {
//! let makini = simulator::start(simulator::Options { story: false, ..Default::default() }).await?;
//! println!("a Makini with 250 connections: {}", makini.url());
//! makini.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Inside there is one `world`, which is pure: it is told the time and moves. Around it stand two tasks, `engine`, which does
//! what is due and sends webhooks, and `persist`, and two doors, `api` for clients and `control` for who stands at the machine.
//! `mail` stands beside all that: what a mail server is to whoever is tried out here. `api` has a folder for each dialect; a simulator speaks one. `records` is what the unified API shows of a connection.

mod actions;
mod added;
mod api;
mod auth;
mod clock;
mod codes;
mod connection;
mod control;
mod customers;
mod engine;
mod error;
mod faults;
mod limits;
pub mod mail;
mod names;
mod options;
mod outbox;
mod persist;
mod platforms;
mod records;
mod router;
mod running;
mod script;
mod shared;
mod syncs;
mod timers;
mod tokens;
mod view;
mod webhooks;
mod world;

pub use options::{Dialect, Options, Spelling, UnknownDialect};
pub use outbox::{Attempt, Delivery, DeliveryStatus};
pub use running::{Error, Running, start};
pub use view::ConnectionState;
pub use world::Counters;
