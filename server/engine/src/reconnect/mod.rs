//! The customer's side of signing in again: a link, Makini Link, and the way back. Nobody here has a session: who holds the
//! token of a link's address may open it, who holds the state of one that was opened may end it.
//!
//! A person at the desk makes links (`desk::reconnect`); [`address`] says where Makini Link is.

mod address;
mod back;
mod secret;

pub use self::address::authorize_url;
pub use self::back::{Back, CameBack};
pub use self::secret::{CALLBACK_PATH, fresh, hash_of, link_url};

use crate::clock::SharedClock;
use crate::live;
use crate::poll::Upstreams;
use crate::store::{
    reconnect_link::{self, Known},
    source,
};
use crate::vault::Vault;
use chrono::{DateTime, Utc};
use model::{Change, ChangeTopic, Redirect, Source};
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use tokio::sync::Notify;

/// Why the customer's side could not be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not answer.
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The new token could not be kept.
    #[error("the new token could not be kept: {0}")]
    Vault(#[from] crate::vault::VaultError),
}

/// What the customer may see of a link: what they know anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose connection it is.
    pub customer: String,
    /// The system behind it.
    pub system: String,
    /// Whether it still leads to Makini Link.
    pub good: bool,
    /// Whether the customer has signed in again already.
    pub done: bool,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
    /// Makini Link's address, as far as browsers must know it before they go there: its origin.
    pub link_origin: String,
}

/// What opening a link led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// On to Makini Link, at this address.
    Go(String),
    /// It is used or too old.
    Over(Shown),
}

/// The customer's side. Cheap to clone.
#[derive(Clone)]
pub struct Reconnect {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: SharedClock,
    /// Where new tokens go.
    pub vault: Vault,
    /// The clients of all sources.
    pub upstreams: Upstreams,
    /// Where people reach us.
    pub public_url: Arc<str>,
    /// Wakes the closer looks.
    pub checks: Arc<Notify>,
}

impl Reconnect {
    /// The link with this token in its address. Changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look(&self, token: &str) -> Result<Option<Shown>, Error> {
        let mut conn = self.pool.acquire().await?;
        let Some(link) = reconnect_link::by_token(&mut conn, &hash_of(token)).await? else { return Ok(None) };
        let source = self.source(&mut conn, &link).await?;
        Ok(Some(self.shown(&link, &source)))
    }

    /// The customer goes on to Makini Link, for the first time or again. None if there is no such link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self, token: &str) -> Result<Option<Opened>, Error> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let Some(link) = reconnect_link::by_token(&mut tx, &hash_of(token)).await? else { return Ok(None) };
        let source = self.source(&mut tx, &link).await?;
        // Where the customer is led back to another application, a state of ours would be none of its business.
        let state = (source.redirect == Redirect::Ours).then(fresh);
        let hash = state.as_deref().map(hash_of);
        if link.removed || !reconnect_link::open(&mut tx, link.id, hash.as_ref(), now).await? {
            return Ok(Some(Opened::Over(Shown { good: false, ..self.shown(&link, &source) })));
        }
        if link.times.opened_at.is_none() {
            announce(&mut tx, &link, link.version).await?;
        }
        tx.commit().await?;
        tracing::info!(link = %link.id, connection = %link.connection, "a customer opened a reconnect link");
        Ok(Some(Opened::Go(authorize_url(&source, &link.key, &self.public_url, state.as_deref()))))
    }

    async fn source(&self, conn: &mut PgConnection, link: &Known) -> Result<Source, Error> {
        let found = source::list(conn, Some(link.source), &self.public_url).await?.pop();
        found.ok_or_else(|| Error::Database(sqlx::Error::RowNotFound))
    }

    fn shown(&self, link: &Known, source: &Source) -> Shown {
        let address = authorize_url(source, &link.key, &self.public_url, None);
        let origin = url::Url::parse(&address).map(|url| url.origin().ascii_serialization());
        Shown {
            customer: link.customer.clone(),
            system: link.platform.1.clone(),
            good: link.times.is_good(self.clock.now()) && !link.removed,
            done: link.times.done_at.is_some(),
            expires_at: link.times.expires_at,
            link_origin: origin.unwrap_or_default(),
        }
    }
}

/// Open pages of the connection ask again.
async fn announce(conn: &mut PgConnection, link: &Known, version: i64) -> Result<(), sqlx::Error> {
    live::announce(conn, &[Change::new(ChangeTopic::Connection, link.connection, version)]).await
}
