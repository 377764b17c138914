//! Webhooks, from the door to what they mean.
//!
//! [`accept`] takes bytes and headers, and answers only when the event is durable: source → secret → signature → JSON →
//! [`batch`], one transaction for all requests of the moment. What is turned away goes to [`rejections`]. What an event
//! says is read later, by [`event`], when [`process`] comes to it.

pub mod accept;
mod batch;
mod envelope;
pub mod event;
mod headers;
pub mod process;
mod queue;
pub mod rejections;
pub mod signature;
mod sources;

pub use accept::{Accepted, Door, DoorLimits, Refused};
