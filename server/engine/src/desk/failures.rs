//! Everything that failed.

use super::Desk;
use model::{
    Actor, EventId, Failure, FailureGroup, FailureQuery, FailureSummary, GapId, GapView, Page, Refusal, Rejection,
    RejectionId, Revealed,
};

impl Desk {
    pub(super) async fn list_failures(&self, _: &Actor, _: FailureQuery) -> Result<Page<Failure>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn sum_failures(&self, _: &Actor, _: FailureQuery) -> Result<FailureSummary, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn group_failures(&self, _: &Actor, _: FailureQuery) -> Result<Vec<FailureGroup>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_rejection(&self, _: &Actor, _: RejectionId) -> Result<Rejection, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_gap(&self, _: &Actor, _: GapId) -> Result<GapView, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn show_payload(&self, _: &Actor, _: EventId) -> Result<Revealed, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
