//! Whose token a question about one connection travels with.
//!
//! Ours, wherever upstream takes it. Only where it does not, the connection's own: one that was given to us, or, if the
//! source's connection tokens are Linewatch's to issue, one that we issue. Issuing kills the token before it, so with
//! `token_ownership = external` it is never done.

use super::{
    ErrorClass, UpstreamError,
    auth::SignIn,
    paging,
    transport::{Ask, ONE_BYTES, Transport},
    wire,
};
use crate::{
    store::secret,
    vault::{Secret, SecretKind},
};
use chrono::{DateTime, TimeDelta, Utc};
use model::TokenOwnership;
use reqwest::Method;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Where a connection's token is issued. Only ever called with `token_ownership = linewatch`.
const ISSUE: &str = "/api/system/connections/{id}/token";
/// How long a refusal of our token is remembered.
const MEMORY: TimeDelta = TimeDelta::minutes(10);
/// More refusals than this are not remembered.
const MOST: usize = 20_000;

/// What upstream thinks of our token where single connections are concerned.
#[derive(Default)]
struct Memory {
    /// Connections that it does not open, and until when we believe so.
    closed: HashMap<String, DateTime<Utc>>,
    /// Until when signing in again would be in vain: a fresh token was refused just as well.
    in_vain_until: Option<DateTime<Utc>>,
}

/// The tokens of single connections.
pub(super) struct ConnectionTokens {
    ownership: TokenOwnership,
    memory: Mutex<Memory>,
}

impl ConnectionTokens {
    pub(super) fn new(ownership: TokenOwnership) -> Self {
        Self { ownership, memory: Mutex::default() }
    }

    /// Whether they are ours to issue.
    pub(super) fn are_ours(&self) -> bool {
        self.ownership == TokenOwnership::Linewatch
    }

    /// Whether our token was refused for this connection lately.
    pub(super) fn is_closed(&self, key: &str, now: DateTime<Utc>) -> bool {
        self.memory().closed.get(key).is_some_and(|until| *until > now)
    }

    /// Our token was refused for this connection.
    pub(super) fn close(&self, key: &str, now: DateTime<Utc>) {
        let mut memory = self.memory();
        if memory.closed.len() >= MOST {
            memory.closed.retain(|_, until| *until > now);
        }
        if memory.closed.len() < MOST {
            memory.closed.insert(key.to_owned(), now + MEMORY);
        }
    }

    /// Our token opened this connection.
    pub(super) fn open(&self, key: &str) {
        let mut memory = self.memory();
        memory.closed.remove(key);
        memory.in_vain_until = None;
    }

    /// Whether signing in again was in vain lately.
    pub(super) fn is_in_vain(&self, now: DateTime<Utc>) -> bool {
        self.memory().in_vain_until.is_some_and(|until| until > now)
    }

    /// A fresh token was refused just as well.
    pub(super) fn in_vain(&self, now: DateTime<Utc>) {
        self.memory().in_vain_until = Some(now + MEMORY);
    }

    /// The connection's own token: one that was given, or one that we issue where we may. None: there is none for us.
    pub(super) async fn own(
        &self,
        key: &str,
        sign_in: &SignIn,
        transport: &Transport,
    ) -> Result<Option<Secret>, UpstreamError> {
        let now = transport.clock.now();
        let mut conn = sign_in.pool.acquire().await?;
        let Some(owner) = secret::connection_owner(&mut conn, sign_in.source, key).await? else { return Ok(None) };
        let kept = sign_in.vault.newest(&mut conn, owner, SecretKind::ConnectionToken).await?;
        drop(conn);
        if let Some(kept) = kept.filter(|kept| kept.expires_at.is_none_or(|until| until > now)) {
            return Ok(Some(kept.secret));
        }
        if !self.are_ours() {
            return Ok(None);
        }
        let issued = self.issue(key, sign_in, transport).await?;
        let mut conn = sign_in.pool.acquire().await?;
        let until = Some(issued.expires_at);
        sign_in.vault.replace(&mut conn, owner, SecretKind::ConnectionToken, &issued.access, until).await?;
        Ok(Some(issued.access))
    }

    /// The connection's token was refused: drop it if it is ours to replace.
    pub(super) async fn forget(&self, key: &str, sign_in: &SignIn) -> Result<(), UpstreamError> {
        if self.are_ours() {
            let mut conn = sign_in.pool.acquire().await?;
            if let Some(owner) = secret::connection_owner(&mut conn, sign_in.source, key).await? {
                secret::delete_all(&mut conn, owner, SecretKind::ConnectionToken).await?;
            }
        }
        Ok(())
    }

    async fn issue(&self, key: &str, sign_in: &SignIn, transport: &Transport) -> Result<wire::Pair, UpstreamError> {
        let ours = sign_in.token(transport).await?;
        let ask = Ask {
            what: "a connection's token",
            method: Method::POST,
            url: paging::one_url(&sign_in.base_url, ISSUE, key)?,
            key: Some(key),
            most: ONE_BYTES,
            body: None,
            secrets: Vec::new(),
        };
        let reply = transport.send(&ask, Some(&ours.access)).await?;
        let body = reply.body.map_err(|error| match error.class {
            ErrorClass::Credentials => UpstreamError { class: ErrorClass::Forbidden, ..error },
            _ => error,
        })?;
        tracing::info!(source = %sign_in.source, key, "issued a token for a connection");
        wire::pair(&body, reply.meta.sent_at).map_err(|why| wire::garbage("a connection's token", &why))
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_remembered_for_a_while() {
        let now = DateTime::UNIX_EPOCH;
        let tokens = ConnectionTokens::new(TokenOwnership::External);
        tokens.close("a", now);
        assert!(tokens.is_closed("a", now) && !tokens.is_closed("b", now));
        assert!(!tokens.is_closed("a", now + MEMORY));
        assert!(!tokens.is_in_vain(now));
        tokens.in_vain(now);
        assert!(tokens.is_in_vain(now) && !tokens.is_in_vain(now + MEMORY));
        tokens.open("a");
        assert!(!tokens.is_closed("a", now) && !tokens.is_in_vain(now));
    }
}
