//! What is known of a connection, how evidence changes it, and what follows from it.
//!
//! [`weigh`] and [`judge`] are pure functions of data and a time; [`observe`] is the single entrance for every eye.

mod availability;
mod capability;
mod facts;
mod feed;
mod follow;
pub mod gap;
pub mod hearing;
mod issue;
mod judge;
mod known;
mod ledger;
pub mod lull;
mod observe;
mod outage;
mod pulse;
pub mod record;
mod refused;
mod rhythm;
mod sync;
#[cfg(test)]
mod table;
mod told;
mod unsettled;
mod watch;
mod weigh;

pub use availability::availability;
pub use capability::{Proved, capabilities};
pub use facts::{Facts, FlowFact, facts_of_closer, facts_of_data, facts_of_news, facts_of_seen};
pub use feed::Feed;
pub use follow::{Turn, follow, issues_due};
pub use hearing::Hearing;
pub use issue::{Outlook, RECOVERY_HOLD, Standing};
pub use judge::{Judgement, Policy, judge};
pub use known::{Described, Dimension, Flow, Known, State};
pub use observe::{Description, Observed, Sighted, fade, observe, reconsider, remove, take_in, tells_something};
pub use outage::{Cell, Lasting, OutagePolicy, POLLER, Rounds, Subject};
pub use pulse::{Pace, Pulse};
pub use refused::{Complaint, RefusedFact};
pub use rhythm::{Learned, Rhythm};
pub use sync::SyncFact;
pub use watch::watch;
pub use weigh::{CheckReason, Sighting, Weighed, weigh};
