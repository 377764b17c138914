//! Closer looks at certain connections, whether they are due or not.

use super::Poller;
use super::check::LEASE;
use crate::clock::new_id;
use crate::store::{self, connection};
use futures::{StreamExt, stream::FuturesUnordered};
use model::{ConnectionId, Source, SourceId};
use std::collections::HashMap;
use uuid::Uuid;

impl Poller {
    /// Looks at these now, all at once. Answers of each why it could not be seen, none if it was; those that are being looked at
    /// by somebody else, or whose source is switched off, are left out.
    pub async fn look_at(&self, ids: &[Uuid]) -> Result<HashMap<ConnectionId, Option<String>>, sqlx::Error> {
        let leased_at = self.clock.now();
        let mut conn = self.pool.acquire().await?;
        let leased = connection::lease_these(&mut conn, ids, leased_at, leased_at + LEASE, new_id()).await?;
        let sources: HashMap<SourceId, Source> =
            store::source::list(&mut conn, None, "").await?.into_iter().map(|source| (source.id, source)).collect();
        drop(conn);
        let mut looks = FuturesUnordered::new();
        for check in &leased {
            if let Some(source) = sources.get(&check.source_id) {
                looks.push(async move { (check.id, self.look(check, source, leased_at).await) });
            }
        }
        let (mut seen, mut first_error) = (HashMap::new(), None);
        while let Some((id, result)) = looks.next().await {
            match result {
                Ok(why_not) => drop(seen.insert(id, why_not.map(|error| error.message))),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(seen), Err)
    }
}
