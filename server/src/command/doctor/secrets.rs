//! The master key opens the stored secrets.

use super::Report;
use crate::config::Config;
use crate::wiring::{first::MASTER_KEY, master_key, refuse_demo_secrets};
use engine::clock::SystemClock;
use engine::store;
use engine::vault::{SecretKind, Vault, VaultError};
use sqlx::PgPool;
use std::sync::Arc;

const WHAT: &str = "Master key";

pub async fn look(config: &Config, pool: &PgPool, report: &mut Report) -> Option<Vault> {
    if config.secrets.key.is_none() && !config.data_dir.join(MASTER_KEY).exists() {
        report.unseen(WHAT, "there is none yet; the first start makes one");
        return None;
    }
    let mend = "give LINEWATCH_SECRETS_KEY, or put the file master-key back from your copy";
    let vault = Vault::new(report.take(WHAT, master_key(config), mend)?, Arc::new(SystemClock));
    match closed(pool, &vault).await {
        Ok(closed) if closed.is_empty() => report.good(WHAT, &format!("{} opens every stored secret", vault.key_id())),
        Ok(closed) => closed.iter().for_each(|why| report.bad(WHAT, why, mend)),
        Err(error) => report.bad(WHAT, &error.to_string(), "see what is said of the database"),
    }
    if let Err(why) = refuse_demo_secrets(pool, &vault).await {
        report.bad("Demo's secrets", &why.to_string(), "“linewatch serve” does not start with them");
    }
    Some(vault)
}

/// Why secrets do not open.
async fn closed(pool: &PgPool, vault: &Vault) -> Result<Vec<String>, VaultError> {
    let mut db = pool.acquire().await?;
    let mut closed = Vec::new();
    for source in store::source::list(&mut db, None, "").await? {
        for kind in [SecretKind::ClientSecret, SecretKind::WebhookSecret] {
            match vault.get_all(&mut db, source.id.0, kind).await {
                Ok(_) => {}
                Err(VaultError::Database(error)) => return Err(error.into()),
                Err(error) => closed.push(format!("of the source “{}”: {error}", source.name)),
            }
        }
    }
    Ok(closed)
}
