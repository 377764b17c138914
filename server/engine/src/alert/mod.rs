//! Rules, and the alerts that they raise.
//!
//! What decides is pure: [`condition`] says whether a rule's condition holds, [`machine`] what becomes of an alert over time,
//! [`scope`] whom a rule is about. The live path ([`Evaluator`]) and the preview run the very same code. An alert that has to be
//! told gets a `tell_due_at` in the transaction that changes it; whom it is told is for others.

mod caveat;
pub mod condition;
mod evaluate;
mod facts;
mod holding;
mod ledger;
pub mod machine;
mod past;
pub mod preview;
mod replay;
mod rule;
pub mod scope;
pub mod sentence;
mod shipped;
mod sweep;
mod try_out;

pub use evaluate::{Evaluator, holding};
pub use facts::{Facts, Holding, Kept, Rest, Touch};
pub use ledger::{Ended, Ledger, Started, Turned, Write};
pub use rule::{Compiled, Rules, normal};
pub use scope::Of;
pub use shipped::ensure as ensure_shipped;
pub use try_out::try_out;
