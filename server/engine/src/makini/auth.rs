//! Our own pair of tokens: got with the client's credentials, refreshed before it ends, shared through the vault.
//!
//! One caller at a time signs in, the others wait for what comes of it. Other processes find the pair in the vault; when
//! two renew at once and one pair kills the other, whoever is refused next finds the living one there.

use super::{
    ErrorClass, UpstreamError,
    transport::{Ask, ONE_BYTES, Transport},
    wire::{self, Grant, Pair},
};
use crate::vault::{Secret, SecretKind, Vault, VaultError};
use chrono::{DateTime, TimeDelta, Utc};
use model::{SecretId, SourceId};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::{sync::Arc, time::Instant};
use tokio::sync::{Mutex, MutexGuard};

/// Renew this long before the end, or a tenth of the token's life before it if that is less.
const MARGIN: TimeDelta = TimeDelta::hours(1);
/// Credentials that were refused are not shown again for this long, unless they are others.
const SULK: TimeDelta = TimeDelta::seconds(10);

/// A pair that upstream gave us.
#[derive(Debug)]
pub(super) struct Token {
    pub access: Secret,
    refresh: Option<Secret>,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Token {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        let margin = ((self.expires_at - self.obtained_at) / 10).min(MARGIN);
        now < self.expires_at - margin
    }
}

/// How it is kept. Whose it is stands with it: after a change of client or address it is another's.
#[derive(Serialize, Deserialize)]
struct Kept<Text> {
    client_id: String,
    base_url: String,
    access_token: Text,
    refresh_token: Option<Text>,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    failed: Option<Failed>,
}

/// The last sign-in, if it failed.
struct Failed {
    secret: SecretId,
    at: DateTime<Utc>,
    ended: Instant,
    error: UpstreamError,
}

/// Signs in to one upstream.
pub(super) struct SignIn {
    pub pool: PgPool,
    pub vault: Vault,
    pub source: SourceId,
    pub client_id: String,
    pub base_url: String,
    pub path: String,
    state: Mutex<State>,
}

impl SignIn {
    /// Nothing is asked yet.
    pub(super) fn new(
        pool: PgPool,
        vault: Vault,
        source: SourceId,
        client_id: String,
        base_url: String,
        path: String,
    ) -> Self {
        Self { pool, vault, source, client_id, base_url, path, state: Mutex::default() }
    }

    /// A token that is good by all we know.
    pub(super) async fn token(&self, transport: &Transport) -> Result<Arc<Token>, UpstreamError> {
        let mut state = self.wait().await?;
        let now = transport.clock.now();
        if let Some(token) = state.token.as_ref().filter(|token| token.is_fresh(now)) {
            return Ok(token.clone());
        }
        let kept = self.kept().await?.or_else(|| state.token.take());
        match kept {
            Some(token) if token.is_fresh(now) => Ok(state.token.insert(token).clone()),
            old => self.obtain(&mut state, transport, old.as_ref().and_then(|old| old.refresh.as_ref())).await,
        }
    }

    /// A token instead of one that was refused.
    pub(super) async fn instead_of(&self, refused: &Token, transport: &Transport) -> Result<Arc<Token>, UpstreamError> {
        let mut state = self.wait().await?;
        let differs = |token: &Arc<Token>| token.access.expose() != refused.access.expose();
        if let Some(token) = state.token.as_ref().filter(|token| differs(token)) {
            return Ok(token.clone());
        }
        state.token = None;
        let now = transport.clock.now();
        if let Some(token) = self.kept().await?.filter(|token| differs(token) && token.is_fresh(now)) {
            return Ok(state.token.insert(token).clone());
        }
        tracing::info!(source = %self.source, "upstream refused our token; signing in again");
        self.obtain(&mut state, transport, None).await
    }

    /// A new token, whatever we have: to see whether the credentials are good.
    pub(super) async fn anew(&self, transport: &Transport) -> Result<Arc<Token>, UpstreamError> {
        let mut state = self.state.lock().await;
        state.failed = None;
        self.obtain(&mut state, transport, None).await
    }

    /// Waits for whoever is signing in. If that fails it fails for all who waited: one time-out is enough for them too.
    async fn wait(&self) -> Result<MutexGuard<'_, State>, UpstreamError> {
        let begin = Instant::now();
        let state = self.state.lock().await;
        match &state.failed {
            Some(failed) if failed.ended > begin => Err(failed.error.clone()),
            _ => Ok(state),
        }
    }

    async fn obtain(
        &self,
        state: &mut State,
        transport: &Transport,
        refresh: Option<&Secret>,
    ) -> Result<Arc<Token>, UpstreamError> {
        let mut conn = self.pool.acquire().await?;
        let secret = self.vault.newest(&mut conn, self.source.0, SecretKind::ClientSecret).await?;
        drop(conn);
        let secret = secret.ok_or_else(no_secret)?;
        let now = transport.clock.now();
        if let Some(failed) = &state.failed
            && failed.error.class == ErrorClass::Credentials
            && failed.secret == secret.id
            && now - failed.at < SULK
        {
            return Err(failed.error.clone());
        }
        let mut got = match refresh {
            Some(refresh) => self.ask(transport, &Grant::Refresh(refresh), &secret.secret).await,
            None => self.ask(transport, &Grant::ClientCredentials, &secret.secret).await,
        };
        if refresh.is_some() && got.as_ref().is_err_and(|error| error.class == ErrorClass::Credentials) {
            tracing::info!(source = %self.source, "upstream refused to refresh our token; signing in with the credentials");
            got = self.ask(transport, &Grant::ClientCredentials, &secret.secret).await;
        }
        match got {
            Ok(token) => {
                let token = Arc::new(token);
                self.keep(&token).await;
                *state = State { token: Some(token.clone()), failed: None };
                Ok(token)
            }
            Err(error) => {
                let failed = Failed { secret: secret.id, at: now, ended: Instant::now(), error: error.clone() };
                state.failed = Some(failed);
                Err(error)
            }
        }
    }

    /// A connection's pair for a code from Makini Link.
    pub(super) async fn exchange(
        &self,
        transport: &Transport,
        code: &Secret,
        redirect_uri: &str,
    ) -> Result<Pair, UpstreamError> {
        let mut conn = self.pool.acquire().await?;
        let secret = self.vault.newest(&mut conn, self.source.0, SecretKind::ClientSecret).await?;
        drop(conn);
        let secret = secret.ok_or_else(no_secret)?;
        let ask = self.question(&Grant::Code { code, redirect_uri }, &secret.secret);
        let reply = transport.send(&ask, None).await?;
        wire::pair(&reply.body?, reply.meta.sent_at).map_err(|why| wire::garbage("a connection's token", &why))
    }

    fn question(&self, grant: &Grant<'_>, secret: &Secret) -> Ask<'static> {
        let mut secrets = vec![secret.clone()];
        if let Grant::Refresh(sent) | Grant::Code { code: sent, .. } = grant {
            secrets.push((*sent).clone());
        }
        Ask {
            what: "a token",
            method: Method::POST,
            url: format!("{}{}", self.base_url, self.path),
            key: None,
            most: ONE_BYTES,
            body: Some(wire::grant(grant, &self.client_id, secret)),
            secrets,
        }
    }

    async fn ask(&self, transport: &Transport, grant: &Grant<'_>, secret: &Secret) -> Result<Token, UpstreamError> {
        let ask = self.question(grant, secret);
        let reply = transport.send(&ask, None).await?;
        let body = reply.body.map_err(|error| match error.status {
            Some(400 | 401 | 403) => UpstreamError {
                class: ErrorClass::Credentials,
                message: format!(
                    "Makini refuses the client credentials. Check the client id, and enter the client secret again. {}",
                    error.message
                ),
                ..error
            },
            _ => error,
        })?;
        let pair = wire::pair(&body, reply.meta.sent_at).map_err(|why| wire::garbage("a token", &why))?;
        let (obtained_at, expires_at) = (reply.meta.sent_at, pair.expires_at);
        tracing::info!(source = %self.source, %expires_at, "signed in to upstream");
        Ok(Token { access: pair.access, refresh: pair.refresh, obtained_at, expires_at })
    }

    /// The pair in the vault, if there is one, it opens and it is ours.
    async fn kept(&self) -> Result<Option<Arc<Token>>, UpstreamError> {
        let mut conn = self.pool.acquire().await?;
        let kept = match self.vault.newest(&mut conn, self.source.0, SecretKind::AdminToken).await {
            Err(VaultError::Database(error)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(source = %self.source, "the token that was kept cannot be used; signing in anew: {error}");
                None
            }
            Ok(kept) => kept,
        };
        let kept = kept.and_then(|kept| serde_json::from_str::<Kept<String>>(kept.secret.expose()).ok());
        let ours = kept.map(|kept| {
            let mine = kept.client_id == self.client_id && kept.base_url == self.base_url;
            let token = Token {
                access: kept.access_token.into(),
                refresh: kept.refresh_token.map(Secret::from),
                obtained_at: kept.obtained_at,
                expires_at: kept.expires_at,
            };
            mine.then(|| Arc::new(token))
        });
        Ok(ours.flatten())
    }

    /// Puts the pair into the vault. Where that fails it is good for this process all the same.
    async fn keep(&self, token: &Token) {
        let kept = Kept {
            client_id: self.client_id.clone(),
            base_url: self.base_url.clone(),
            access_token: token.access.expose(),
            refresh_token: token.refresh.as_ref().map(Secret::expose),
            obtained_at: token.obtained_at,
            expires_at: token.expires_at,
        };
        let written = async {
            let text = Secret::from(serde_json::to_string(&kept).unwrap_or_default());
            let mut conn = self.pool.acquire().await?;
            let (owner, until) = (self.source.0, Some(token.expires_at));
            self.vault.replace(&mut conn, owner, SecretKind::AdminToken, &text, until).await
        };
        if let Err(error) = written.await {
            tracing::warn!(source = %self.source, "our new token could not be kept; other processes sign in for themselves: {error}");
        }
    }
}

fn no_secret() -> UpstreamError {
    let message = "This source has no client secret. Enter one in Settings, Sources.";
    UpstreamError::new(ErrorClass::Credentials, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(life: TimeDelta) -> Token {
        let obtained_at = "2026-11-22T12:00:00Z".parse().unwrap();
        Token { access: "mkat_1".into(), refresh: Some("mkrt_1".into()), obtained_at, expires_at: obtained_at + life }
    }

    #[test]
    fn it_is_renewed_a_tenth_before_its_end_at_most_an_hour() {
        for (life, margin) in [
            (TimeDelta::seconds(300), TimeDelta::seconds(30)),
            (TimeDelta::hours(10), TimeDelta::hours(1)),
            (TimeDelta::days(30), TimeDelta::hours(1)),
        ] {
            let token = token(life);
            let end = token.expires_at - margin;
            assert!(token.is_fresh(end - TimeDelta::seconds(1)) && !token.is_fresh(end), "{life}");
        }
    }

    #[test]
    fn it_does_not_print() {
        let printed = format!("{:?}", token(TimeDelta::days(1)));
        assert!(!printed.contains("mkat_1") && !printed.contains("mkrt_1"), "{printed}");
    }

    proptest! {
        #[test]
        fn a_token_is_never_used_after_its_end(life in 0..4_000_000i64, after in 0..5_000_000i64) {
            let token = token(TimeDelta::seconds(life));
            let now = token.obtained_at + TimeDelta::seconds(after);
            prop_assert!(!token.is_fresh(now) || after < life);
        }
    }
}
