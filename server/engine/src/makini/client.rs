//! What may be asked of one upstream.

use super::{
    Answer, BudgetState, Closer, Described, ErrorClass, ListPage, OutgoingPage, RecordsRead, SyncStart, UpstreamError,
    auth::SignIn,
    budget::Budget,
    paging,
    platforms::Platforms,
    token::ConnectionTokens,
    transport::{Ask, LIST_BYTES, Meta, ONE_BYTES, Reply, Transport},
    trial,
    wire::{self, garbage, openapi_2025},
};
use crate::{
    clock::SharedClock,
    http::{Outbound, Timeouts},
    vault::Vault,
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use model::{Dialect, Mappings, SourceId, SourceTestStep, SyncKind, TokenOwnership};
use sqlx::PgPool;
use std::{fmt, sync::Arc};

/// One upstream, as its source says. Its secrets are in the vault, under the source's id.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Whose upstream it is.
    pub source: SourceId,
    /// How it speaks.
    pub dialect: Dialect,
    /// Where its API is.
    pub base_url: String,
    /// Our client id there.
    pub client_id: String,
    /// Whether connection tokens are ours to issue.
    pub token_ownership: TokenOwnership,
    /// Requests a minute that we allow ourselves; 0 counts as 1.
    pub rate_per_minute: u32,
    /// What it spells its own way.
    pub mappings: Mappings,
}

/// A client for one source. Cheap to clone. Make one per source and keep it while the source's settings stay: the budget,
/// the circuit and the token are in it.
#[derive(Clone)]
pub struct Upstream {
    inner: Arc<Inner>,
}

/// What the parts of a client share.
pub(super) struct Inner {
    pub dialect: Dialect,
    pub base_url: String,
    pub mappings: Mappings,
    pub transport: Transport,
    pub sign_in: SignIn,
    pub tokens: ConnectionTokens,
    pub platforms: Platforms,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("source", &self.inner.sign_in.source).finish_non_exhaustive()
    }
}

impl Upstream {
    /// A client for this source; asks nothing yet. Connecting may take 5 s, an exchange 30 s.
    ///
    /// # Errors
    /// `AddressRefused` when the base URL is none or leads to where we may not send.
    pub fn new(
        outbound: &Outbound,
        pool: PgPool,
        vault: Vault,
        clock: SharedClock,
        config: UpstreamConfig,
    ) -> Result<Self, UpstreamError> {
        Self::with_timeouts(outbound, Timeouts::default(), pool, vault, clock, config)
    }

    /// The same with other time-outs.
    ///
    /// # Errors
    /// As [`Upstream::new`].
    pub fn with_timeouts(
        outbound: &Outbound,
        timeouts: Timeouts,
        pool: PgPool,
        vault: Vault,
        clock: SharedClock,
        config: UpstreamConfig,
    ) -> Result<Self, UpstreamError> {
        let UpstreamConfig { source, dialect, base_url, client_id, token_ownership, rate_per_minute, mut mappings } =
            config;
        mappings.paths = wire::paths(dialect, &mappings.paths);
        let url = outbound.check_url(&base_url)?;
        if url.query().is_some() || url.fragment().is_some() {
            let message = "The base URL must end with a host or a path, without “?” and “#”.";
            return Err(UpstreamError::new(ErrorClass::AddressRefused, message));
        }
        let base_url = base_url.trim().trim_end_matches('/').to_owned();
        let transport = Transport {
            client: outbound.client(timeouts)?,
            budget: Budget::new(rate_per_minute, clock.clone()),
            clock,
            source,
            version_header: mappings.version_header.clone(),
        };
        let token_path = mappings.paths.token.clone();
        let sign_in = SignIn::new(pool, vault, source, client_id, base_url.clone(), token_path);
        let tokens = ConnectionTokens::new(token_ownership);
        let platforms = Platforms::default();
        Ok(Self { inner: Arc::new(Inner { dialect, base_url, mappings, transport, sign_in, tokens, platforms }) })
    }

    /// One page of the list of connections, as large as the API gives; without a cursor the first.
    ///
    /// # Errors
    /// See [`ErrorClass`]. Nothing is tried twice but a token that is refused.
    pub async fn list(&self, cursor: Option<&str>) -> Result<Answer<ListPage>, UpstreamError> {
        let inner = &*self.inner;
        let url = paging::list_url(inner.dialect, &inner.base_url, &inner.mappings.paths.connections, cursor);
        let (reply, _) = inner.as_account(&Ask::get("a page of connections", url, None, LIST_BYTES), true).await?;
        let mut page = wire::list(inner.dialect, &reply.body?, &inner.mappings, cursor)?;
        if page.next_cursor.is_some() && page.next_cursor.as_deref() == cursor {
            return Err(garbage("a list of connections", "its next page is the same page again"));
        }
        if page.undecodable > 0 {
            tracing::warn!(
                source = %inner.sign_in.source, undecodable = page.undecodable,
                "{} connections on a page of upstream's list cannot be read and are left out", page.undecodable,
            );
        }
        if inner.dialect == Dialect::Openapi2025 {
            inner.name_platforms(&mut page.seen).await;
        }
        Ok(answer(page, reply.meta))
    }

    /// A closer look at one connection.
    ///
    /// What upstream complains of *about the connection* (it must authorize again, its system is unreachable, it is gone) is
    /// an answer.
    ///
    /// # Errors
    /// See [`ErrorClass`]; also when a second request was needed and not sent or not answered: ask again.
    pub async fn one(&self, key: &str) -> Result<Answer<Closer>, UpstreamError> {
        match self.inner.dialect {
            Dialect::FaqV1 => self.inner.status_then_syncs(key).await,
            Dialect::Openapi2025 => self.inner.own_word_else_the_accounts(key).await,
        }
    }

    /// Starts a sync of one connection, unless upstream says why not.
    ///
    /// # Errors
    /// See [`ErrorClass`]. Where there was no answer, it may have been started all the same.
    pub async fn start_sync(&self, key: &str, kind: SyncKind) -> Result<SyncStart, UpstreamError> {
        self.inner.start_sync(key, kind).await
    }

    /// What can be done with the records of each platform, by its slug, where upstream says so.
    ///
    /// # Errors
    /// See [`ErrorClass`]; `NotFound` where upstream does not list its platforms.
    pub async fn abilities(&self) -> Result<Vec<(String, Vec<Described>)>, UpstreamError> {
        self.inner.abilities().await
    }

    /// Which records of a connection changed after this moment by upstream's clock, the oldest change first, at most 500. `entity`
    /// is a path such as `eam/assets`.
    ///
    /// # Errors
    /// See [`ErrorClass`]; `Forbidden` where the connection's own token is not ours to have, or does not open them, and `NotFound`
    /// where the platform has no such records.
    pub async fn records(
        &self,
        key: &str,
        entity: &str,
        after: DateTime<Utc>,
    ) -> Result<Answer<RecordsRead>, UpstreamError> {
        self.inner.records(key, entity, after).await
    }

    /// A page of what upstream has sent us, or tried to, with this status, newest first, at most 100; without a cursor the first.
    ///
    /// # Errors
    /// See [`ErrorClass`]; `NotFound` where upstream does not tell of its webhooks.
    pub async fn deliveries(
        &self,
        status: &str,
        cursor: Option<&str>,
        limit: u16,
    ) -> Result<Answer<OutgoingPage>, UpstreamError> {
        self.inner.deliveries(status, cursor, limit).await
    }

    /// Asks upstream to send one of its webhooks again.
    ///
    /// # Errors
    /// See [`ErrorClass`]; `NotFound` where it has no such webhook, or no way to ask. A status of 409 says that it has arrived, or is on its way.
    pub async fn retry_delivery(&self, id: &str) -> Result<(), UpstreamError> {
        self.inner.retry_delivery(id).await
    }

    /// Tries it out, step by step, up to the first that does not work. Signs in anew, so that the credentials are really tried.
    pub async fn test(&self) -> Vec<SourceTestStep> {
        let inner = &*self.inner;
        let account = (inner.dialect == Dialect::Openapi2025).then(|| inner.account());
        let sign_in = inner.sign_in.anew(&inner.transport);
        trial::run(sign_in, account, || self.list(None), &inner.mappings.version_header).await
    }

    /// What its parts share.
    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// How often it may be asked, and whether it is left alone for now.
    pub fn budget(&self) -> BudgetState {
        self.inner.transport.budget.view()
    }
}

impl Inner {
    /// Asks with our token; where it is refused and `again`, once more with a new one. Says whether it was asked anew.
    pub(super) async fn as_account(&self, ask: &Ask<'_>, again: bool) -> Result<(Reply, bool), UpstreamError> {
        let token = self.sign_in.token(&self.transport).await?;
        let reply = self.transport.send(ask, Some(&token.access)).await?;
        if !(again && is_token_refused(&reply.body)) {
            return Ok((reply, false));
        }
        let token = self.sign_in.instead_of(&token, &self.transport).await?;
        Ok((self.transport.send(ask, Some(&token.access)).await?, true))
    }

    /// The account's own name.
    async fn account(&self) -> Result<String, UpstreamError> {
        let ask = Ask::get("the account", format!("{}{}", self.base_url, openapi_2025::CLIENT), None, ONE_BYTES);
        let (reply, _) = self.as_account(&ask, true).await?;
        openapi_2025::client(&reply.body?).map_err(|why| garbage("the account", &why))
    }
}

/// Whether the token is the reason for a refusal.
pub(super) fn is_token_refused(body: &Result<Bytes, UpstreamError>) -> bool {
    body.as_ref().is_err_and(|error| error.class == ErrorClass::Credentials && !error.is_about_connection())
}

/// An answer with when and how it came.
pub(super) fn answer<T>(value: T, meta: Meta) -> Answer<T> {
    let Meta { sent_at, received_at, upstream_date, api_version, request_id } = meta;
    Answer { value, sent_at, received_at, upstream_date, api_version, request_id }
}
