//! The key to the stored secrets.

use super::Env;
use engine::vault::{BadMasterKey, MasterKey};

/// The key to the stored secrets.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// `LINEWATCH_SECRETS_KEY`: 32 bytes in base64. Client secrets and webhook secrets are sealed with it in the database.
    /// Needed with `DATABASE_URL`; with the embedded Postgres it is made at first start and kept in the file `master-key`.
    pub key: Option<MasterKey>,
}

impl Secrets {
    /// What to do when it is needed and missing.
    pub const MISSING: &str = "is needed with DATABASE_URL: the secrets in that database are sealed with it. Make one with \
         “openssl rand -base64 32”, keep it safe, and give every process the same";

    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        Self {
            key: env
                .parsed("LINEWATCH_SECRETS_KEY", |text| text.parse().map_err(|error: BadMasterKey| error.to_string())),
        }
    }
}
