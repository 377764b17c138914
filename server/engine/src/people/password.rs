//! Passwords: Argon2id, at most two at a time, because each takes 19 MiB and a core.

use super::Error;
use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _, password_hash::SaltString};
use std::sync::{Arc, LazyLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Hashes being made at the same time.
const AT_ONCE: usize = 2;

/// People waiting for their turn; more are sent away, so that a flood of guesses does not queue for minutes.
const IN_LINE: usize = 32;

/// The longest password that is looked at, in bytes.
pub(super) const LONGEST: usize = 1_024;

/// Makes and checks hashes.
pub(super) struct Passwords {
    hashing: Arc<Semaphore>,
    line: Arc<Semaphore>,
}

/// The right to have one password checked.
pub(super) struct Turn {
    _line: OwnedSemaphorePermit,
    _hashing: OwnedSemaphorePermit,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { hashing: Arc::new(Semaphore::new(AT_ONCE)), line: Arc::new(Semaphore::new(AT_ONCE + IN_LINE)) }
    }
}

impl Passwords {
    /// Waits for a turn; none if too many wait already.
    pub(super) async fn turn(&self) -> Option<Turn> {
        let line = self.line.clone().try_acquire_owned().ok()?;
        let hashing = self.hashing.clone().acquire_owned().await.ok()?;
        Some(Turn { _line: line, _hashing: hashing })
    }

    /// Whether a password is the one behind a hash. Without a hash it takes as long, and is not.
    pub(super) async fn matches(
        &self,
        turn: Turn,
        password: Zeroizing<String>,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        blocking(move || {
            let _turn = turn;
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let hash = PasswordHash::new(&hash).map_err(|error| Error::Hash(error.to_string()))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    /// The hash of a password, as a PHC string.
    pub(super) async fn hash(&self, password: Zeroizing<String>) -> Result<String, Error> {
        blocking(move || hash(&password)).await
    }
}

/// A hash that no password has; made once, with the same parameters as everybody's.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&super::random_secret()).unwrap_or_default());

fn hash(password: &str) -> Result<String, Error> {
    let failed = |error: argon2::password_hash::Error| Error::Hash(error.to_string());
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(failed)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Error::Hash(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches_and_nobody_has_one() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".to_owned().into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (password, hash, right) in
            [("correct horse", Some(hash.clone()), true), ("battery", Some(hash), false), ("battery", None, false)]
        {
            let turn = passwords.turn().await.unwrap();
            assert_eq!(passwords.matches(turn, password.to_owned().into(), hash).await.unwrap(), right);
        }
    }

    #[tokio::test]
    async fn a_crowd_is_sent_away() {
        let passwords = Passwords::default();
        let inside = [passwords.turn().await.unwrap(), passwords.turn().await.unwrap()];
        let waiting: Vec<_> = (0..IN_LINE).map(|_| passwords.turn()).map(Box::pin).collect();
        let mut waiting = futures::future::join_all(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(passwords.turn().await.is_none());
        drop(inside);
    }
}
