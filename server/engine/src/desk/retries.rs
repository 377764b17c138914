//! Trying many again.

use super::Desk;
use model::{Actor, NewRetry, Refusal, Retry, RetryId, RetryPatch};

impl Desk {
    pub(super) async fn begin_retry(&self, _: &Actor, _: NewRetry) -> Result<Retry, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_retry(&self, _: &Actor, _: RetryId) -> Result<Retry, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn patch_retry(&self, _: &Actor, _: RetryId, _: RetryPatch) -> Result<Retry, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn end_retry(&self, _: &Actor, _: RetryId) -> Result<Retry, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
