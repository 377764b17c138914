//! The first person and the first token.

use super::Env;
use engine::vault::Secret;

/// The first person and the first token.
#[derive(Clone, Debug)]
pub struct Auth {
    /// `LINEWATCH_AUTH_EMAIL`: the administrator's e-mail address; `admin@localhost` unless said.
    pub email: String,
    /// `LINEWATCH_AUTH_PASSWORD`: the administrator's password, 8 characters at least. Changing it here changes it. Unless
    /// said, one is made at first start and kept in the file `admin-password`.
    pub password: Option<Secret>,
    /// `LINEWATCH_AUTH_API_TOKEN`: the first API token, 16 characters at least. Unless said, one is made at first start
    /// and kept in the file `api-token`.
    pub api_token: Option<Secret>,
}

impl Auth {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        Self {
            email: env.read("LINEWATCH_AUTH_EMAIL", "admin@localhost".to_owned(), email),
            password: env.parsed("LINEWATCH_AUTH_PASSWORD", |text| secret(text, 8)),
            api_token: env.parsed("LINEWATCH_AUTH_API_TOKEN", |text| secret(text, 16)),
        }
    }
}

fn email(text: &str) -> Result<String, String> {
    let fits =
        text.len() <= 254 && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if fits { Ok(text.to_lowercase()) } else { Err(format!("“{text}” is not an e-mail address")) }
}

fn secret(text: &str, shortest: usize) -> Result<Secret, String> {
    match text.chars().count() {
        n if n < shortest => Err(format!("is too short: {shortest} characters at least")),
        n if n > 1_000 => Err("is too long: 1,000 characters at most".to_owned()),
        _ => Ok(Secret::from(text)),
    }
}
