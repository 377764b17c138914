//! What Makini itself could not deliver.

use super::Desk;
use model::{Actor, MakiniDelivery, Page, PageQuery, Refusal, SourceId};

impl Desk {
    pub(super) async fn list_makini_deliveries(
        &self,
        _: &Actor,
        _: SourceId,
        _: PageQuery,
    ) -> Result<Page<MakiniDelivery>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn ask_makini_again(&self, _: &Actor, _: SourceId, _: String) -> Result<(), Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
