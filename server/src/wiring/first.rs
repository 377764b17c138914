//! What a first start makes, and what no start may go without.

use super::Failure;
use crate::config::Config;
use engine::people::{Given, People, kept};
use engine::vault::{MasterKey, Secret, SecretKind, Vault};
use sqlx::PgPool;
use std::path::Path;

/// The ways in.
#[derive(Debug)]
pub struct Entry {
    /// The administrator's e-mail address.
    pub email: String,
    /// Their password, where it is known.
    pub password: Option<Secret>,
    /// The API token, where it is known.
    pub api_token: Option<Secret>,
}

/// Sees to it that an administrator can sign in and that there is an API token.
pub async fn entry(config: &Config, people: &People) -> Result<Entry, Failure> {
    let given = |secret: &Option<Secret>, file: &str| match secret {
        Some(secret) => Given::Secret(secret.clone()),
        None => Given::KeptIn(config.data_dir.join(file)),
    };
    let administrator = people.ensure_administrator(&config.auth.email, given(&config.auth.password, PASSWORD)).await?;
    let token = people.ensure_api_token("first", given(&config.auth.api_token, TOKEN)).await?;
    if administrator.made && config.auth.password.is_none() {
        let file = config.data_dir.join(PASSWORD).display().to_string();
        tracing::warn!(file, "the first person is {}; the password is in {file}", administrator.email);
    }
    if token.made && config.auth.api_token.is_none() {
        let file = config.data_dir.join(TOKEN).display().to_string();
        tracing::warn!(file, "the first API token is in {file}");
    }
    Ok(Entry { email: administrator.email, password: administrator.password, api_token: token.token })
}

/// The administrator's password, if nobody gave one.
const PASSWORD: &str = "admin-password";
/// The API token, if nobody gave one.
const TOKEN: &str = "api-token";
/// The master key, if nobody gave one.
pub const MASTER_KEY: &str = "master-key";

/// The key to the stored secrets: the one that was given, else the one that is kept in the data directory.
pub fn master_key(config: &Config) -> Result<MasterKey, Failure> {
    if let Some(key) = &config.secrets.key {
        return Ok(key.clone());
    }
    kept_master_key(&config.data_dir)
}

fn kept_master_key(data_dir: &Path) -> Result<MasterKey, Failure> {
    let file = data_dir.join(MASTER_KEY);
    if let Some(text) = kept::read(&file)? {
        return text.parse().map_err(|error| format!("{}: {error}", file.display()).into());
    }
    let key = MasterKey::generate();
    kept::write(&file, key.to_text().expose())?;
    tracing::warn!(file = %file.display(), "a master key was made; keep a copy of {}: without it no stored secret opens", file.display());
    Ok(key)
}

/// Refuses to go on with the demo's secrets: everybody knows them, so anybody could sign webhooks.
pub async fn refuse_demo_secrets(pool: &PgPool, vault: &Vault) -> Result<(), Failure> {
    let demo = simulator::Options::default();
    let known = [demo.client_secret, demo.webhook_secret];
    let variables = std::env::vars().filter(|(name, _)| name.starts_with("LINEWATCH_"));
    if let Some((name, _)) = variables.into_iter().find(|(_, value)| known.iter().any(|secret| value.contains(secret)))
    {
        return Err(format!("{name} holds a secret of the demo, which everybody knows. Use one of your own.").into());
    }
    let mut db = pool.acquire().await?;
    for source in engine::store::source::list(&mut db, None, "").await? {
        for kind in [SecretKind::ClientSecret, SecretKind::WebhookSecret] {
            // One that does not open is for `doctor` to tell; it cannot be used either.
            let Ok(secrets) = vault.get_all(&mut db, source.id.0, kind).await else { continue };
            if secrets.iter().any(|opened| known.iter().any(|known| known == opened.secret.expose())) {
                let name = source.name;
                return Err(format!(
                    "The source “{name}” uses a secret of the demo, which everybody knows, so Linewatch does not serve it. If \
                     this is the demo's data, start it with “linewatch demo”, or choose another LINEWATCH_DATA_DIR."
                )
                .into());
            }
        }
    }
    Ok(())
}
