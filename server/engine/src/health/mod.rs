//! What is known of a connection, how evidence changes it, and what follows from it.
//!
//! [`weigh`] and [`judge`] are pure functions of data and a time; [`observe`] is the single entrance for every eye.

mod facts;
pub mod gap;
mod judge;
mod known;
mod observe;
mod weigh;

pub use facts::{Facts, FlowFact, facts_of_closer, facts_of_news, facts_of_seen};
pub use judge::{Judgement, Policy, judge};
pub use known::{Dimension, Flow, Known, State};
pub use observe::{Description, Observed, Sighted, fade, observe, reconsider, remove, tells_something};
pub use weigh::{CheckReason, Sighting, Weighed, weigh};
