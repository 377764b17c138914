//! Where credentials live: in Postgres, sealed with a master key that is not.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes. The owner and the kind are bound in as associated data, so that a row
//! copied to another owner, or passed off as another kind, does not open. Each row names its key, so that a wrong one is
//! recognised and said, not guessed at.

mod key;
mod secret;

pub use key::{BadMasterKey, MasterKey};
pub use secret::{Secret, SecretKind};

use crate::{
    clock::{SharedClock, new_id},
    store::secret::{self as rows, SealedSecret},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use chrono::{DateTime, Utc};
use model::SecretId;
use sqlx::PgConnection;
use std::{fmt, sync::Arc};
use uuid::Uuid;
use zeroize::Zeroizing;

const NONCE: usize = 24;
/// More live secrets of one owner and kind than this are never asked for.
const MOST: i64 = 100;

/// Why a secret is not to be had. Holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It was sealed with a key that this process was not started with.
    #[error(
        "This {kind} was sealed with the master key {sealed_with}, but Linewatch runs with {ours}. \
         Start it with the key it had before, or enter the secret again."
    )]
    OtherKey {
        /// What it is for.
        kind: SecretKind,
        /// The id of the key it was sealed with.
        sealed_with: String,
        /// The id of the key we have.
        ours: String,
    },
    /// The key is right, but the bytes are not: altered, cut, or moved from another owner or kind.
    #[error("This {0} was damaged or moved in the database and cannot be opened. Enter it again.")]
    Damaged(SecretKind),
    /// It could not be sealed; only a text of many gigabytes can cause this.
    #[error("This {0} is too large to be sealed.")]
    TooLarge(SecretKind),
    /// Postgres did not answer as it should.
    #[error("The secrets could not be reached in the database: {0}")]
    Database(#[from] sqlx::Error),
}

/// A secret, opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its id.
    pub id: SecretId,
    /// The secret itself; does not print.
    pub secret: Secret,
    /// Its last four characters, where it may be told by them; else empty.
    pub hint: String,
    /// When it was put there.
    pub created_at: DateTime<Utc>,
    /// When it stops being good; none: not by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last of use.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    cipher: XChaCha20Poly1305,
    key_id: String,
    clock: SharedClock,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("key_id", &self.inner.key_id).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault that seals with this key.
    #[expect(clippy::needless_pass_by_value, reason = "the caller is to keep no copy of the key")]
    pub fn new(key: MasterKey, clock: SharedClock) -> Self {
        let cipher = XChaCha20Poly1305::new(key.bytes().into());
        Self { inner: Arc::new(Inner { cipher, key_id: key.key_id(), clock }) }
    }

    /// Which key it seals with, as [`MasterKey::key_id`].
    pub fn key_id(&self) -> &str {
        &self.inner.key_id
    }

    /// Adds a secret beside those that the owner has of this kind.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn put(
        &self,
        conn: &mut PgConnection,
        owner: Uuid,
        kind: SecretKind,
        secret: &Secret,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<SecretId, VaultError> {
        let row = self.row(owner, kind, secret, expires_at)?;
        rows::insert(conn, owner, kind, &row).await?;
        Ok(row.id)
    }

    /// Puts a secret in the place of all that the owner has of this kind, at once.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn replace(
        &self,
        conn: &mut PgConnection,
        owner: Uuid,
        kind: SecretKind,
        secret: &Secret,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<SecretId, VaultError> {
        let row = self.row(owner, kind, secret, expires_at)?;
        rows::replace(conn, owner, kind, &row).await?;
        Ok(row.id)
    }

    /// Adds a secret that takes over from those that the owner has of this kind: they are good until `before_until`.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn rotate(
        &self,
        conn: &mut PgConnection,
        owner: Uuid,
        kind: SecretKind,
        secret: &Secret,
        before_until: DateTime<Utc>,
    ) -> Result<SecretId, VaultError> {
        rows::expire(conn, owner, kind, before_until, self.inner.clock.now()).await?;
        self.put(conn, owner, kind, secret, None).await
    }

    /// All that the owner has of this kind, newest first; expired ones too.
    ///
    /// # Errors
    /// When Postgres fails or one of them does not open.
    pub async fn get_all(
        &self,
        conn: &mut PgConnection,
        owner: Uuid,
        kind: SecretKind,
    ) -> Result<Vec<Opened>, VaultError> {
        let rows = rows::of(conn, owner, kind, MOST).await?;
        rows.into_iter().map(|row| self.opened(owner, kind, row)).collect()
    }

    /// The newest that the owner has of this kind, expired or not.
    ///
    /// # Errors
    /// When Postgres fails or it does not open.
    pub async fn newest(
        &self,
        conn: &mut PgConnection,
        owner: Uuid,
        kind: SecretKind,
    ) -> Result<Option<Opened>, VaultError> {
        let rows = rows::of(conn, owner, kind, 1).await?;
        rows.into_iter().next().map(|row| self.opened(owner, kind, row)).transpose()
    }

    /// Drops one secret of an owner for good; false when the owner has none such.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn retire(&self, conn: &mut PgConnection, owner: Uuid, id: SecretId) -> Result<bool, VaultError> {
        Ok(rows::delete(conn, owner, id).await?)
    }

    /// Drops all that the owner has of this kind, for good; says how many there were.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn forget(&self, conn: &mut PgConnection, owner: Uuid, kind: SecretKind) -> Result<u64, VaultError> {
        Ok(rows::delete_all(conn, owner, kind).await?)
    }

    /// Notes that a secret was of use at this moment.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn touch_used(&self, conn: &mut PgConnection, id: SecretId, at: DateTime<Utc>) -> Result<(), VaultError> {
        Ok(rows::touch(conn, id, at).await?)
    }

    fn row(
        &self,
        owner: Uuid,
        kind: SecretKind,
        secret: &Secret,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<SealedSecret, VaultError> {
        Ok(SealedSecret {
            id: SecretId(new_id()),
            sealed: self.seal(owner, kind, secret)?,
            key_id: self.inner.key_id.clone(),
            hint: if kind.has_hint() { secret.hint() } else { String::new() },
            created_at: self.inner.clock.now(),
            expires_at,
            last_used_at: None,
        })
    }

    fn opened(&self, owner: Uuid, kind: SecretKind, row: SealedSecret) -> Result<Opened, VaultError> {
        if row.key_id != self.inner.key_id {
            return Err(VaultError::OtherKey { kind, sealed_with: row.key_id, ours: self.inner.key_id.clone() });
        }
        let secret = self.open(owner, kind, &row.sealed)?;
        let SealedSecret { id, hint, created_at, expires_at, last_used_at, .. } = row;
        Ok(Opened { id, secret, hint, created_at, expires_at, last_used_at })
    }

    fn seal(&self, owner: Uuid, kind: SecretKind, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce);
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &bound(owner, kind) };
        let ciphertext =
            self.inner.cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| VaultError::TooLarge(kind))?;
        Ok([nonce.as_slice(), &ciphertext].concat())
    }

    fn open(&self, owner: Uuid, kind: SecretKind, sealed: &[u8]) -> Result<Secret, VaultError> {
        let damaged = || VaultError::Damaged(kind);
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE).ok_or_else(damaged)?;
        let payload = Payload { msg: ciphertext, aad: &bound(owner, kind) };
        let plain = self.inner.cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| damaged())?;
        let text = String::from_utf8(plain).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            damaged()
        })?;
        Ok(text.into())
    }
}

/// What a secret is bound to.
fn bound(owner: Uuid, kind: SecretKind) -> Vec<u8> {
    [owner.as_bytes().as_slice(), kind.code().as_bytes()].concat()
}

#[cfg(test)]
mod tests;
