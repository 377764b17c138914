//! Which Postgres.

use super::Env;
use engine::vault::Secret;
use std::time::Duration;

/// Which Postgres.
#[derive(Clone, Debug)]
pub struct Database {
    /// `DATABASE_URL`: a Postgres from 15 to 18 of your own; unless said, the embedded one is started. Holds a password.
    pub url: Option<Secret>,
    /// `LINEWATCH_DATABASE_CONNECTIONS`: connections of one process; 16 unless said. Beside them, up to seven are for what must not wait.
    pub connections: u32,
    /// `LINEWATCH_DATABASE_PATIENCE_SECONDS`: how long to wait for a free connection; 10 unless said.
    pub patience: Duration,
}

impl Database {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        Self {
            url: env.parsed("DATABASE_URL", |text| {
                let fits = text.starts_with("postgres://") || text.starts_with("postgresql://");
                let why = "must begin with postgres://, such as postgres://linewatch:PASSWORD@db.example.com/linewatch";
                if fits { Ok(Secret::from(text)) } else { Err(why.to_owned()) }
            }),
            connections: env.number("LINEWATCH_DATABASE_CONNECTIONS", 16, 4..=500),
            patience: Duration::from_secs(env.number("LINEWATCH_DATABASE_PATIENCE_SECONDS", 10, 1..=300)),
        }
    }
}
