//! What a cookie opens.

use super::{Error, People, hash_of};
use crate::store::session;
use chrono::TimeDelta;
use model::Actor;

/// A session that nobody uses ends after this.
pub(super) const IDLE: TimeDelta = TimeDelta::hours(12);

/// Every session ends after this.
pub(super) const LONGEST: TimeDelta = TimeDelta::days(7);

impl People {
    /// Who a cookie belongs to. Using a session keeps it open, for 12 hours more, up to 7 days in all.
    pub async fn session(&self, cookie: &str) -> Result<Option<Actor>, Error> {
        let hash = hash_of(cookie);
        if let Some(actor) = self.0.sessions.get(&hash) {
            return Ok(Some(actor));
        }
        let now = self.0.clock.now();
        let mut db = self.0.pool.acquire().await?;
        let Some(actor) = session::actor(&mut db, &hash, now).await? else { return Ok(None) };
        session::touch(&mut db, &hash, now, IDLE.as_seconds_f64(), LONGEST.as_seconds_f64()).await?;
        self.0.sessions.put(hash, actor.clone());
        Ok(Some(actor))
    }

    /// Whether a session is still open. Asking does not keep it open: an open page is not a person at work.
    pub async fn session_lives(&self, cookie: &str) -> Result<bool, Error> {
        let mut db = self.0.pool.acquire().await?;
        Ok(session::actor(&mut db, &hash_of(cookie), self.0.clock.now()).await?.is_some())
    }

    /// Ends a session. One that is no longer there is no error.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), Error> {
        let hash = hash_of(cookie);
        let mut db = self.0.pool.acquire().await?;
        session::delete(&mut db, &hash).await?;
        self.0.sessions.forget(&hash);
        Ok(())
    }
}
