//! Events on their way to the user's own applications.
//!
//! The transaction that processes an event makes its deliveries ([`fan_out`]). Each endpoint has a lane: one process at a time
//! drives it, under a lease, so that order, concurrency, rate and circuit hold over all of them ([`lane`]); who drives which is
//! the business of [`supervisor`]. When a delivery is tried again is [`schedule`], whether an endpoint is tried at all is
//! [`circuit`]; both are pure.

mod circuit;
mod fan_out;
mod lane;
mod matching;
mod pace;
mod reconnected;
mod schedule;
mod send;
mod sign;
mod supervisor;
mod turn;

pub use fan_out::{FanOut, Going};
pub use matching::{Subject, Target, delivery_id};
pub use reconnected::{Reconnected, tell_reconnected};
pub use schedule::{LAST, LIFE, MOST};
pub use send::{Letter, Postman, Tried};
pub use sign::{Signer, fresh_secret};
pub use supervisor::Relay;
