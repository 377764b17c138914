//! Webhooks, from the door to what they mean.
//!
//! [`accept`] takes headers, then bytes, and answers only when the event is durable: source → secret → signature → JSON →
//! [`batch`], one transaction for all requests of the moment. What it holds meanwhile counts against one [`budget`]. What is
//! turned away goes to [`rejections`]. What an event says is read later, by [`event`], when [`process`] comes to it.

pub mod accept;
mod batch;
mod budget;
mod envelope;
pub mod event;
mod fault;
mod headers;
mod limits;
mod outcome;
pub mod payload;
pub mod process;
mod queue;
pub mod redaction;
mod refused;
pub mod rejections;
mod rush;
pub mod signature;
mod sources;

pub use accept::{Accepted, Admitted, Door};
pub use limits::DoorLimits;
pub use refused::{NotRead, Refused};
pub use rush::Rush;
