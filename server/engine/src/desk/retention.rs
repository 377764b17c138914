//! How long things are kept.

use super::Desk;
use model::{Actor, Refusal, Retention, RetentionPatch};

impl Desk {
    pub(super) async fn read_retention(&self, _: &Actor) -> Result<Retention, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn patch_retention(&self, _: &Actor, _: RetentionPatch) -> Result<Retention, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
