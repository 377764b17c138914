//! Configuration: environment variables, one section a file. A wrong value stops the start, with every problem listed at once.

mod auth;
mod database;
mod env;
mod health;
mod http;
mod log;
mod mail;
mod outage;
mod outbound;
mod secrets;
mod webhook;

pub use self::auth::Auth;
pub use self::database::Database;
pub use self::env::{Env, Problems};
pub use self::health::Health;
pub use self::http::Http;
pub use self::log::{Log, LogFormat};
pub use self::mail::Mail;
pub use self::outage::Outages;
pub use self::outbound::Outbound;
pub use self::secrets::Secrets;
pub use self::webhook::Webhook;

use std::path::PathBuf;

/// What a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The product: the key to the stored secrets must be given with the database that holds them.
    Product,
    /// The demo: keeps everything in a directory of its own, `./.linewatch/demo` unless said.
    Demo,
    /// The schema alone: opens no secret.
    Schema,
}

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// `LINEWATCH_DATA_DIR`: what must survive a restart and is not in the database: `./.linewatch` unless said. The
    /// embedded Postgres lies in it, and the secrets that nobody gave and Linewatch made.
    pub data_dir: PathBuf,
    /// The address we listen at, and the one people use.
    pub http: Http,
    /// Which Postgres.
    pub database: Database,
    /// The webhook door.
    pub webhook: Webhook,
    /// The key to the stored secrets.
    pub secrets: Secrets,
    /// The first person and the first token.
    pub auth: Auth,
    /// What is logged, and how.
    pub log: Log,
    /// Where Linewatch may send.
    pub outbound: Outbound,
    /// When things count as well again.
    pub health: Health,
    /// What makes an outage.
    pub outages: Outages,
    /// By which server e-mail goes out.
    pub mail: Mail,
}

impl Config {
    /// Reads the environment.
    pub fn from_env(purpose: Purpose) -> Result<Self, Problems> {
        Self::read(purpose, |name| std::env::var(name).ok())
    }

    /// Reads whatever this finds by name.
    pub fn read(purpose: Purpose, find: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut env = Env::new(&find);
        let data_dir = if purpose == Purpose::Demo { ".linewatch/demo" } else { ".linewatch" };
        let config = Self {
            data_dir: env.read("LINEWATCH_DATA_DIR", PathBuf::from(data_dir), |text| Ok(text.into())),
            http: Http::from_env(&mut env),
            database: Database::from_env(&mut env),
            webhook: Webhook::from_env(&mut env),
            secrets: Secrets::from_env(&mut env),
            auth: Auth::from_env(&mut env),
            log: Log::from_env(&mut env),
            outbound: Outbound::from_env(&mut env),
            health: Health::from_env(&mut env, purpose),
            outages: Outages::from_env(&mut env, purpose),
            mail: Mail::from_env(&mut env),
        };
        if purpose == Purpose::Product && config.database.url.is_some() && config.secrets.key.is_none() {
            env.wrong("LINEWATCH_SECRETS_KEY", Secrets::MISSING);
        }
        env.finish().map(|()| config)
    }

    /// The names in the environment that begin like ours and that nobody asks for: most often a typing error.
    pub fn unknown_names() -> Vec<String> {
        let asked = std::cell::RefCell::new(Vec::new());
        let _ = Self::read(Purpose::Product, |name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        let known = asked.into_inner();
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names
            .filter(|name| name.starts_with("LINEWATCH_") && name != "LINEWATCH_POSTGRES_BIN" && !known.contains(name))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Config, Problems> {
        Config::read(Purpose::Product, |name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_has_to_be_set() {
        let config = read(&[("PORT", "")]).unwrap();
        assert_eq!(config.http.address().to_string(), "127.0.0.1:3000");
        assert_eq!(config.data_dir, PathBuf::from(".linewatch"));
        assert!(config.database.url.is_none() && config.outbound.allow.is_empty());
    }

    #[test]
    fn every_problem_is_listed_at_once_and_no_secret_is_printed() {
        let problems = read(&[
            ("PORT", "http"),
            ("LINEWATCH_PUBLIC_URL", "linewatch.example.com"),
            ("LINEWATCH_OUTBOUND_ALLOW", "10.0.0.0/8, loopback"),
            ("LINEWATCH_SECRETS_KEY", "c2hvcnQ="),
            ("LINEWATCH_AUTH_PASSWORD", "hunter2"),
            ("LINEWATCH_LOG_FORMAT", "xml"),
            ("DATABASE_URL", "mysql://root:verysecret@db/x"),
        ])
        .unwrap_err()
        .to_string();
        let lines: Vec<_> = problems.lines().filter(|line| line.starts_with("  ")).collect();
        assert_eq!(lines.len(), 7, "{problems}");
        assert!(problems.contains("PORT: “http” is not a number from 0 to 65535"), "{problems}");
        for secret in ["hunter2", "c2hvcnQ=", "verysecret"] {
            assert!(!problems.contains(secret), "{problems}");
        }
    }

    #[test]
    fn a_database_of_ones_own_needs_a_key() {
        let problems = read(&[("DATABASE_URL", "postgres://db/linewatch")]).unwrap_err().to_string();
        assert!(
            problems.contains("LINEWATCH_SECRETS_KEY") && problems.contains("openssl rand -base64 32"),
            "{problems}"
        );
    }

    #[test]
    fn the_demo_is_less_patient_unless_it_is_told_otherwise() {
        let holds = |purpose, set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            let config = Config::read(purpose, find).unwrap();
            (config.health.recovery_hold.num_seconds(), config.outages.policy.hold.num_seconds())
        };
        assert_eq!(holds(Purpose::Product, &[]), (300, 300));
        assert_eq!(holds(Purpose::Demo, &[]), (10, 10));
        let set = [("LINEWATCH_HEALTH_RECOVERY_SECONDS", "30"), ("LINEWATCH_OUTAGE_RECOVERY_SECONDS", "40")];
        assert_eq!(holds(Purpose::Demo, &set), (30, 40));
    }

    #[test]
    fn secrets_are_not_printed_by_debug_either() {
        let config = read(&[
            ("LINEWATCH_AUTH_PASSWORD", "correct horse battery"),
            ("LINEWATCH_AUTH_API_TOKEN", "lw_0123456789abcdef"),
            ("LINEWATCH_SECRETS_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
            ("DATABASE_URL", "postgres://linewatch:verysecret@db/linewatch"),
        ])
        .unwrap();
        let printed = format!("{config:?}");
        for secret in ["horse", "0123456789", "MDEy", "verysecret"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
