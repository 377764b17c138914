//! A closer look at one connection, in each dialect.

use super::{
    Answer, Closer, ErrorClass, ReportedError, Tells, UpstreamError,
    client::{Inner, answer, is_token_refused},
    paging,
    transport::{Ask, ONE_BYTES, Reply},
    wire,
};
use model::UpstreamStatus;

impl Inner {
    /// `faq_v1`: its status, then its syncs. Where the second request is refused (401, 403, 404), fails (5xx) or cannot be
    /// read, the first one's word still stands and `sync` is none.
    pub(super) async fn status_then_syncs(&self, key: &str) -> Result<Answer<Closer>, UpstreamError> {
        let paths = &self.mappings.paths;
        let url = paging::one_url(&self.base_url, &paths.status, key)?;
        let Reply { meta, body } = self.about(key, "a connection's status", url).await?;
        let mut closer = match body {
            Ok(body) => wire::status(&body, &self.mappings)?,
            Err(error) => match about_connection(error)? {
                closer if closer.gone => return Ok(answer(closer, meta)),
                closer => closer,
            },
        };
        let url = paging::one_url(&self.base_url, &paths.sync_status, key)?;
        let second = self.about(key, "a connection's syncs", url).await?;
        match second.body {
            Err(error) if error.class == ErrorClass::RateLimited => return Err(error),
            body => match body.and_then(|body| wire::sync(&body)) {
                Ok(sync) => closer.sync = Some(sync),
                Err(error) => self.merge(&mut closer, error),
            },
        }
        let mut answer = answer(closer, meta);
        answer.received_at = second.meta.received_at;
        answer.request_id = second.meta.request_id.or(answer.request_id);
        Ok(answer)
    }

    /// `openapi_2025`: how its syncs go, which takes the connection's own token; where there is none for us, or it is dead, what
    /// the account sees of it. Only that can say that it is gone: a dead connection's token is refused like any other.
    pub(super) async fn own_word_else_the_accounts(&self, key: &str) -> Result<Answer<Closer>, UpstreamError> {
        if let Some(answer) = self.own_word(key).await? {
            return Ok(answer);
        }
        let url = paging::one_url(&self.base_url, &self.mappings.paths.status, key)?;
        let ask = Ask::get("a connection's metadata", url, Some(key), ONE_BYTES);
        let (Reply { meta, body }, _) = self.as_account(&ask, true).await?;
        let closer = match body {
            Ok(body) => wire::metadata(&body, key, &self.mappings)?,
            Err(error) => on_its_own(about_connection(error)?),
        };
        Ok(answer(closer, meta))
    }

    /// None where its own token is not for us to have, or is refused.
    async fn own_word(&self, key: &str) -> Result<Option<Answer<Closer>>, UpstreamError> {
        let url = paging::one_url(&self.base_url, &self.mappings.paths.sync_status, key)?;
        let ask = Ask::get("a connection's syncs", url, Some(key), ONE_BYTES);
        // the customer who signs in again kills the token that we have: then a new one is issued, where we may
        let tries = if self.tokens.are_ours() { 2 } else { 1 };
        for _ in 0..tries {
            let Reply { meta, body } = match self.with_own_token(key, &ask).await {
                Ok(Some(reply)) => reply,
                Ok(None) => break,
                Err(error) if is_no_word(error.class) => break,
                Err(error) => return Err(error),
            };
            match body.and_then(|body| wire::current(&body, &self.mappings)) {
                Ok(closer) => return Ok(Some(answer(closer, meta))),
                Err(error) if error.is_about_connection() => {
                    return Ok(Some(answer(on_its_own(about_connection(error)?), meta)));
                }
                Err(error) if is_no_word(error.class) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Asks about one connection, with the token that opens it.
    async fn about(&self, key: &str, what: &'static str, url: String) -> Result<Reply, UpstreamError> {
        self.put(key, &Ask::get(what, url, Some(key), ONE_BYTES)).await
    }

    /// The same for any question about one connection.
    pub(super) async fn put(&self, key: &str, ask: &Ask<'_>) -> Result<Reply, UpstreamError> {
        let now = self.transport.clock.now();
        let closed = self.tokens.is_closed(key, now);
        if closed && let Some(reply) = self.with_own_token(key, ask).await? {
            return Ok(reply);
        }
        let again = !closed && !self.tokens.is_in_vain(now);
        let (reply, asked_anew) = self.as_account(ask, again).await?;
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
        let own = self.with_own_token(key, ask).await?;
        // Signing in works, so it is not our credentials that are wrong: this is not for us to see.
        let Reply { meta, body } = own.unwrap_or(reply);
        Ok(Reply { meta, body: body.map_err(not_for_us) })
    }

    /// Asks with the connection's own token, if there is one for us.
    pub(super) async fn with_own_token(&self, key: &str, ask: &Ask<'_>) -> Result<Option<Reply>, UpstreamError> {
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

/// A complaint says what it says: that a system does not answer is no proof that the customer is signed in.
fn on_its_own(closer: Closer) -> Closer {
    Closer { tells: Tells::Flow, ..closer }
}

/// Refused or not there: no word, and no reason to ask again later either.
fn is_no_word(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::Forbidden | ErrorClass::NotFound)
}

fn not_for_us(error: UpstreamError) -> UpstreamError {
    match error.class {
        ErrorClass::Credentials => UpstreamError { class: ErrorClass::Forbidden, ..error },
        _ => error,
    }
}
