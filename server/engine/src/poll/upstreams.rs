//! One client for each source, made anew when its settings change.

use crate::clock::SharedClock;
use crate::http::Outbound;
use crate::makini::{Upstream, UpstreamConfig, UpstreamError};
use crate::vault::Vault;
use model::{Source, SourceId};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The clients of all sources. Cheap to clone.
#[derive(Clone)]
pub struct Upstreams {
    pool: PgPool,
    clock: SharedClock,
    vault: Vault,
    outbound: Outbound,
    made: Arc<Mutex<HashMap<SourceId, (i64, Upstream)>>>,
}

impl Upstreams {
    /// No client yet.
    pub fn new(pool: PgPool, clock: SharedClock, vault: Vault, outbound: Outbound) -> Self {
        Self { pool, clock, vault, outbound, made: Arc::default() }
    }

    /// The client of a source. Its budget and circuit live as long as the source's settings stay the same.
    pub fn of(&self, source: &Source) -> Result<Upstream, UpstreamError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, upstream)) = made.get(&source.id)
            && *version == source.version
        {
            return Ok(upstream.clone());
        }
        let upstream = Upstream::new(
            &self.outbound,
            self.pool.clone(),
            self.vault.clone(),
            Arc::clone(&self.clock),
            UpstreamConfig {
                source: source.id,
                dialect: source.dialect,
                base_url: source.base_url.clone(),
                client_id: source.client_id.clone(),
                token_ownership: source.token_ownership,
                rate_per_minute: u32::try_from(source.rate_per_minute).unwrap_or(u32::MAX),
                mappings: source.mappings.clone(),
            },
        )?;
        made.insert(source.id, (source.version, upstream.clone()));
        Ok(upstream)
    }
}
