//! What may be asked of one upstream.

use super::{
    Answer, BudgetState, Closer, ErrorClass, ListPage, ReportedError, UpstreamError,
    auth::SignIn,
    budget::Budget,
    paging,
    token::ConnectionTokens,
    transport::{Ask, LIST_BYTES, Meta, ONE_BYTES, Reply, Transport},
    trial,
    wire::{Spoken, garbage},
};
use crate::{
    clock::SharedClock,
    http::{Outbound, Timeouts},
    vault::Vault,
};
use bytes::Bytes;
use model::{Dialect, Mappings, SourceId, SourceTestStep, TokenOwnership, UpstreamStatus};
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

struct Inner {
    spoken: Spoken,
    base_url: String,
    mappings: Mappings,
    transport: Transport,
    sign_in: SignIn,
    tokens: ConnectionTokens,
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
    /// `DialectNotServed`; `AddressRefused` when the base URL is none or leads to where we may not send.
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
        let UpstreamConfig { source, dialect, base_url, client_id, token_ownership, rate_per_minute, mappings } =
            config;
        let spoken = Spoken::new(dialect)?;
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
        Ok(Self { inner: Arc::new(Inner { spoken, base_url, mappings, transport, sign_in, tokens }) })
    }

    /// One page of the list of connections, as large as the API gives; without a cursor the first.
    ///
    /// # Errors
    /// See [`ErrorClass`]. Nothing is tried twice but a token that is refused.
    pub async fn list(&self, cursor: Option<&str>) -> Result<Answer<ListPage>, UpstreamError> {
        let inner = &*self.inner;
        let url = paging::list_url(&inner.base_url, &inner.mappings.paths.connections, cursor);
        let (reply, _) = inner.as_account(&Ask::get("a page of connections", url, None, LIST_BYTES), true).await?;
        let page = inner.spoken.list(&reply.body?, &inner.mappings)?;
        if page.next_cursor.is_some() && page.next_cursor.as_deref() == cursor {
            return Err(garbage("a list of connections", "its next page is the same page again"));
        }
        if page.undecodable > 0 {
            tracing::warn!(
                source = %inner.sign_in.source, undecodable = page.undecodable,
                "{} connections on a page of upstream's list cannot be read and are left out", page.undecodable,
            );
        }
        Ok(answer(page, reply.meta))
    }

    /// A closer look at one connection: its status, then its syncs.
    ///
    /// What upstream complains of *about the connection* (it must authorize again, its system is unreachable, it is gone) is
    /// an answer. Where the second request is refused (401, 403, 404), fails (5xx) or cannot be read, the first one's word
    /// still stands and `sync` is none.
    ///
    /// # Errors
    /// See [`ErrorClass`]; also when the second request was not sent or not answered: ask again.
    pub async fn one(&self, key: &str) -> Result<Answer<Closer>, UpstreamError> {
        let inner = &*self.inner;
        let paths = &inner.mappings.paths;
        let url = paging::one_url(&inner.base_url, &paths.status, key)?;
        let Reply { meta, body } = inner.about(key, "a connection's status", url).await?;
        let mut closer = match body {
            Ok(body) => inner.spoken.status(&body, &inner.mappings)?,
            Err(error) => match about_connection(error)? {
                closer if closer.gone => return Ok(answer(closer, meta)),
                closer => closer,
            },
        };
        let url = paging::one_url(&inner.base_url, &paths.sync_status, key)?;
        let second = inner.about(key, "a connection's syncs", url).await?;
        match second.body {
            Err(error) if error.class == ErrorClass::RateLimited => return Err(error),
            body => match body.and_then(|body| inner.spoken.sync(&body)) {
                Ok(sync) => closer.sync = Some(sync),
                Err(error) => inner.merge(&mut closer, error),
            },
        }
        let mut answer = answer(closer, meta);
        answer.received_at = second.meta.received_at;
        answer.request_id = second.meta.request_id.or(answer.request_id);
        Ok(answer)
    }

    /// Tries it out, step by step, up to the first that does not work. Signs in anew, so that the credentials are really tried.
    pub async fn test(&self) -> Vec<SourceTestStep> {
        let version_header = &self.inner.mappings.version_header;
        trial::run(self.inner.sign_in.anew(&self.inner.transport), || self.list(None), version_header).await
    }

    /// How often it may be asked, and whether it is left alone for now.
    pub fn budget(&self) -> BudgetState {
        self.inner.transport.budget.view()
    }
}

impl Inner {
    /// Asks with our token; where it is refused and `again`, once more with a new one. Says whether it was asked anew.
    async fn as_account(&self, ask: &Ask<'_>, again: bool) -> Result<(Reply, bool), UpstreamError> {
        let token = self.sign_in.token(&self.transport).await?;
        let reply = self.transport.send(ask, Some(&token.access)).await?;
        if !(again && is_token_refused(&reply.body)) {
            return Ok((reply, false));
        }
        let token = self.sign_in.instead_of(&token, &self.transport).await?;
        Ok((self.transport.send(ask, Some(&token.access)).await?, true))
    }

    /// Asks about one connection, with the token that opens it.
    async fn about(&self, key: &str, what: &'static str, url: String) -> Result<Reply, UpstreamError> {
        let now = self.transport.clock.now();
        let ask = Ask::get(what, url, Some(key), ONE_BYTES);
        let closed = self.tokens.is_closed(key, now);
        if closed && let Some(reply) = self.with_own_token(key, &ask).await? {
            return Ok(reply);
        }
        let again = !closed && !self.tokens.is_in_vain(now);
        let (reply, asked_anew) = self.as_account(&ask, again).await?;
        let Err(error) = &reply.body else {
            self.tokens.open(key);
            return Ok(reply);
        };
        if !matches!(error.class, ErrorClass::Credentials | ErrorClass::Forbidden) || error.is_about_connection() {
            return Ok(reply);
        }
        if asked_anew && is_token_refused(&reply.body) {
            self.tokens.in_vain(now);
        }
        self.tokens.close(key, now);
        let own = self.with_own_token(key, &ask).await?;
        // Signing in works, so it is not our credentials that are wrong: this is not for us to see.
        let Reply { meta, body } = own.unwrap_or(reply);
        Ok(Reply { meta, body: body.map_err(not_for_us) })
    }

    /// Asks with the connection's own token, if there is one for us.
    async fn with_own_token(&self, key: &str, ask: &Ask<'_>) -> Result<Option<Reply>, UpstreamError> {
        let Some(token) = self.tokens.own(key, &self.sign_in, &self.transport).await? else { return Ok(None) };
        let reply = self.transport.send(ask, Some(&token)).await?;
        if is_token_refused(&reply.body) {
            self.tokens.forget(key, &self.sign_in).await?;
        }
        Ok(Some(Reply { meta: reply.meta, body: reply.body.map_err(not_for_us) }))
    }

    /// What the second request's failure adds to what the first one said.
    fn merge(&self, closer: &mut Closer, error: UpstreamError) {
        let (source, class) = (self.sign_in.source, error.class.code());
        match about_connection(error) {
            Ok(said) if !said.gone => {
                closer.status = closer.status.or(said.status);
                closer.reauthorization_required = closer.reauthorization_required.or(said.reauthorization_required);
                closer.error = closer.error.take().or(said.error);
            }
            _ => tracing::debug!(%source, class, "upstream tells nothing of a connection's syncs: {class}"),
        }
    }
}

/// What a complaint says of the connection that was asked about; any other stays an error.
fn about_connection(error: UpstreamError) -> Result<Closer, UpstreamError> {
    let words = error.words.clone().unwrap_or_else(|| error.message.clone());
    let said = ReportedError { code: error.code.clone(), message: words };
    if error.means_reauthorization() {
        Ok(Closer { reauthorization_required: Some(true), error: Some(said), ..Closer::default() })
    } else if error.means_system_unreachable() {
        Ok(Closer { status: Some(UpstreamStatus::Offline), error: Some(said), ..Closer::default() })
    } else if error.class == ErrorClass::NotFound && error.code.is_some() {
        // With a code it is the API that says so; without, it may be a wrong path, and nothing is gone.
        Ok(Closer { gone: true, error: Some(said), ..Closer::default() })
    } else {
        Err(error)
    }
}

fn is_token_refused(body: &Result<Bytes, UpstreamError>) -> bool {
    body.as_ref().is_err_and(|error| error.class == ErrorClass::Credentials && !error.is_about_connection())
}

fn not_for_us(error: UpstreamError) -> UpstreamError {
    match error.class {
        ErrorClass::Credentials => UpstreamError { class: ErrorClass::Forbidden, ..error },
        _ => error,
    }
}

fn answer<T>(value: T, meta: Meta) -> Answer<T> {
    let Meta { sent_at, received_at, upstream_date, api_version, request_id } = meta;
    Answer { value, sent_at, received_at, upstream_date, api_version, request_id }
}
