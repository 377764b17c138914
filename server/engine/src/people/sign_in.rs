//! From an e-mail address and a password to a session.

use super::throttle::{FORGOTTEN, subjects, wait};
use super::{Error, People, hash_of, password, random_secret, session};
use crate::store::{person, session as sessions, sign_in as failures};
use crate::vault::Secret;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Acquire as _, PgConnection};
use std::{net::IpAddr, time::Duration};
use zeroize::Zeroizing;

/// A session that was opened.
#[derive(Debug)]
pub struct NewSession {
    /// For the cookie; nowhere else.
    pub cookie: Secret,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
}

/// Why a sign-in was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// No such pair of e-mail address and password; which of them is wrong is not said.
    #[error("E-mail address and password do not match.")]
    Wrong,
    /// Too many failures, or too many people at once.
    #[error("Too many tries. Wait {} seconds, then try again.", .wait.as_secs())]
    Throttled {
        /// How long to wait.
        wait: Duration,
    },
    /// It could not be checked.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<sqlx::Error> for SignInRefused {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl People {
    /// Opens a session for who knows the password. Each try is charged to the e-mail address and to the network address
    /// before it is made and forgiven when it succeeds, so tries made at the same time gain nothing. An unknown e-mail
    /// address takes as long as a known one.
    pub async fn sign_in(&self, email: &str, password: &str, address: IpAddr) -> Result<NewSession, SignInRefused> {
        let email = email.trim().to_lowercase();
        if email.len() > 254 || email.contains('\0') || password.len() > password::LONGEST {
            return Err(SignInRefused::Wrong);
        }
        let busy = SignInRefused::Throttled { wait: Duration::from_secs(2) };
        let turn = self.0.passwords.turn().await.ok_or(busy)?;
        let subjects = subjects(&email, address);
        let known = {
            let mut db = self.0.pool.acquire().await?;
            charge(&mut db, &subjects, self.0.clock.now()).await?;
            person::by_email(&mut db, &email).await?
        };
        let (id, hash) = known.map(|known| (known.id, known.password_hash)).unzip();
        let right = self.0.passwords.matches(turn, Zeroizing::new(password.to_owned()), hash).await?;
        let Some(id) = id.filter(|_| right) else {
            tracing::info!(%address, "a sign-in was refused: e-mail address and password do not match");
            return Err(SignInRefused::Wrong);
        };

        let (cookie, now) = (random_secret(), self.0.clock.now());
        let mut db = self.0.pool.begin().await?;
        failures::forgive(&mut db, &subjects).await?;
        sessions::insert(&mut db, &hash_of(&cookie), id, now, now + session::IDLE).await?;
        db.commit().await?;
        tracing::info!(person = %id, %address, "a person signed in");
        Ok(NewSession { cookie: Secret::from(cookie), ends_at: now + session::LONGEST })
    }
}

/// Charges a try to every subject, or to none if one of them has to wait.
async fn charge(db: &mut PgConnection, subjects: &[String], now: DateTime<Utc>) -> Result<(), SignInRefused> {
    let mut db = db.begin().await?;
    for subject in subjects {
        match failures::charge(&mut db, subject, now, FORGOTTEN).await? {
            failures::Try::Charged(count) => {
                if let Some(wait) = wait(count) {
                    failures::block(&mut db, subject, now + wait).await?;
                }
            }
            failures::Try::Blocked(until) => {
                db.rollback().await?;
                let wait = (until - now).max(TimeDelta::seconds(1)).to_std().unwrap_or_default();
                return Err(SignInRefused::Throttled { wait: Duration::from_secs(wait.as_secs_f64().ceil() as u64) });
            }
        }
    }
    db.commit().await?;
    Ok(())
}
