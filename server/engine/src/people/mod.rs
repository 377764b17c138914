//! People and machines: who asks. Passwords, sessions, API tokens, and the brake on guessing.
//!
//! | room | knows |
//! |---|---|
//! | [`password`] | Argon2id, two at a time, as slow for nobody as for somebody |
//! | [`sign_in`] | from an e-mail address and a password to a session |
//! | [`session`] | what a cookie opens: 12 hours idle, 7 days at most |
//! | [`token`] | what a bearer token opens |
//! | [`throttle`] | how long to wait after how many failures |
//! | [`administrator`] | the first person, and the first token |
//! | [`kept`] | what must survive a restart and is nobody else's to read: files of mode 0600 |
//!
//! Cookies and tokens are 32 random bytes; the database holds their SHA-256 only. What was looked up is remembered for five
//! seconds, so a page with twenty calls asks once; a session that ended elsewhere is therefore gone five seconds later.

mod administrator;
pub mod kept;
mod password;
mod remember;
mod session;
mod sign_in;
mod throttle;
mod token;

use self::password::Passwords;
use self::remember::Remembered;
use crate::clock::SharedClock;
use crate::store::session::Hash;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use model::Actor;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use std::{io, path::PathBuf, sync::Arc};

pub use self::administrator::{Administrator, ApiToken, Given};
pub use self::sign_in::{NewSession, SignInRefused};

/// Everybody who may ask. Cheap to clone.
#[derive(Clone)]
pub struct People(Arc<Inner>);

struct Inner {
    pool: PgPool,
    clock: SharedClock,
    passwords: Passwords,
    sessions: Remembered<Actor>,
    tokens: Remembered<Actor>,
}

impl People {
    /// The people of this database.
    pub fn new(pool: PgPool, clock: SharedClock) -> Self {
        Self(Arc::new(Inner {
            passwords: Passwords::default(),
            sessions: Remembered::new(clock.clone()),
            tokens: Remembered::new(clock.clone()),
            pool,
            clock,
        }))
    }
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").finish_non_exhaustive()
    }
}

/// Why people could not be asked about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not answer.
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// A file that must survive could not be read or written.
    #[error("{} could not be read or written: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A password could not be hashed.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
}

/// The SHA-256 of a cookie or a token. They are 32 random bytes, so there is nothing that a slow hash would protect.
fn hash_of(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// 32 random bytes as 43 characters.
fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
