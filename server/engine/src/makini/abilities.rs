//! What can be done with the records of each platform, as upstream describes it.

use super::{
    UpstreamError,
    client::Inner,
    paging,
    transport::{Ask, LIST_BYTES},
    wire::{garbage, openapi_2025},
};
use model::{Ability, Operation};
use serde::{Deserialize, Serialize};

/// More pages than this are not read.
const MOST_PAGES: u64 = 100;

/// Whether one thing can be done with one kind of record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// The kind of record, as in events: `purchase_orders`.
    pub entity: String,
    /// What is done.
    pub operation: Operation,
    /// Whether it can be.
    pub ability: Ability,
    /// The limit in words.
    pub limit: Option<String>,
}

impl Inner {
    /// Every platform that upstream describes.
    pub(super) async fn abilities(&self) -> Result<Vec<(String, Vec<Described>)>, UpstreamError> {
        let (mut all, mut page) = (Vec::new(), 1);
        loop {
            let url = paging::numbered_url(&self.base_url, openapi_2025::PLATFORMS, page);
            let (reply, _) = self.as_account(&Ask::get("a page of platforms", url, None, LIST_BYTES), true).await?;
            let read = openapi_2025::abilities(&reply.body?, page);
            let (some, next) = read.map_err(|why| garbage("a list of platforms", &why))?;
            all.extend(some);
            match next {
                Some(next) if next <= MOST_PAGES => page = next,
                _ => return Ok(all),
            }
        }
    }
}
