//! The way back from Makini Link: whose token is it, and is it the right one?

use super::{Error, Reconnect, Shown, address, announce, authorize_url, fresh, hash_of};
use crate::makini::{Given, UpstreamError, Whose};
use crate::relay::{Reconnected, tell_reconnected};
use crate::store::{
    connection,
    reconnect_link::{self, Known},
};
use crate::vault::{Secret, SecretKind};
use model::Source;

/// What a browser brings back.
#[derive(Clone, Debug, Default)]
pub struct CameBack {
    /// What binds it to a link.
    pub state: String,
    /// What becomes a token.
    pub code: Option<Secret>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Back {
    /// The state is unknown, used or too old.
    Unknown,
    /// The customer signed in again; the connection has its new token.
    Done(Shown),
    /// The customer broke off, or Makini Link did; at this address they may try again.
    BrokenOff(Shown, String),
    /// Makini could not say whether it worked; at this address they may try again.
    Unclear(Shown, String),
    /// The customer signed in to something else; at this address they may try again.
    Refused(Shown, String),
}

impl Reconnect {
    /// The customer comes back. A state counts once.
    ///
    /// # Errors
    /// When the database or the vault fails.
    pub async fn come_back(&self, came: CameBack) -> Result<Back, Error> {
        let now = self.clock.now();
        let mut conn = self.pool.acquire().await?;
        let Some(link) = reconnect_link::take_state(&mut conn, &hash_of(&came.state), now).await? else {
            return Ok(Back::Unknown);
        };
        let source = self.source(&mut conn, &link).await?;
        // nothing is held while upstream is asked
        drop(conn);
        let Some(code) = came.code else {
            tracing::info!(link = %link.id, "a customer came back from Makini Link without having signed in");
            return Ok(Back::BrokenOff(self.shown(&link, &source), self.again(&link, &source).await?));
        };
        match self.redeem(&link, &source, &code).await {
            Ok((given, Whose::TheSame)) => self.keep(&link, &source, &given).await,
            Ok((_, Whose::Another { key, platform })) => {
                let what = match (&platform, &key) {
                    (Some(platform), Some(key)) => format!("{platform}, {key}"),
                    (Some(one), None) | (None, Some(one)) => one.clone(),
                    (None, None) => "another connection".to_owned(),
                };
                self.refuse(&link, &source, &format!("the customer signed in to something else ({what})")).await
            }
            Err(error) => {
                tracing::warn!(link = %link.id, source = %link.source, %error, "a sign-in could not be finished: {error}");
                Ok(Back::Unclear(self.shown(&link, &source), self.again(&link, &source).await?))
            }
        }
    }

    async fn redeem(&self, link: &Known, source: &Source, code: &Secret) -> Result<(Given, Whose), UpstreamError> {
        let upstream = self.upstreams.of(source)?;
        let given = upstream.exchange(code, &address::redirect_uri(&self.public_url)).await?;
        let platform = (link.platform.0.as_str(), link.platform.1.as_str());
        let whose = upstream.whose(&given.token, &link.key, platform).await?;
        Ok((given, whose))
    }

    /// Keeps the token and has Makini asked at once: the repair is proved by what it says, not by what the browser brought.
    async fn keep(&self, link: &Known, source: &Source, given: &Given) -> Result<Back, Error> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let (owner, until) = (link.connection.0, Some(given.expires_at));
        self.vault.replace(&mut tx, owner, SecretKind::ConnectionToken, &given.token, until).await?;
        reconnect_link::finish(&mut tx, link.id, now).await?;
        connection::ask_for_check(&mut tx, link.connection, now).await?;
        announce(&mut tx, link, link.version + 1).await?;
        // the redirect leads to us, so only we can tell the user's own application that there is a new token
        let who = Reconnected { id: link.connection, key: &link.key, customer: &link.customer };
        tell_reconnected(&mut tx, source, who, now).await?;
        tx.commit().await?;
        self.checks.notify_one();
        tracing::info!(link = %link.id, connection = %link.connection, "a customer signed in again");
        Ok(Back::Done(Shown { done: true, good: false, ..self.shown(link, source) }))
    }

    async fn refuse(&self, link: &Known, source: &Source, why: &str) -> Result<Back, Error> {
        let mut tx = self.pool.begin().await?;
        reconnect_link::refuse(&mut tx, link.id, why, self.clock.now()).await?;
        announce(&mut tx, link, link.version).await?;
        tx.commit().await?;
        tracing::warn!(link = %link.id, connection = %link.connection, "a sign-in was refused: {why}");
        Ok(Back::Refused(self.shown(link, source), self.again(link, source).await?))
    }

    /// Makini Link's address with another state.
    async fn again(&self, link: &Known, source: &Source) -> Result<String, Error> {
        let state = fresh();
        reconnect_link::renew_state(&mut *self.pool.acquire().await?, link.id, &hash_of(&state)).await?;
        Ok(authorize_url(source, &link.key, &self.public_url, Some(&state)))
    }
}
