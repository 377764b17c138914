//! What a simulator is told at its start.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What a simulator is told at its start.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// How many connections there are.
    pub connections: usize,
    /// What they are drawn from: same seed, same connections and keys.
    pub seed: u64,
    /// Which wire format is spoken.
    pub dialect: Dialect,
    /// Whether things happen by themselves.
    pub story: bool,
    /// How much faster than life durations pass: cadences, sync lengths, webhook retries, token life. Moments are real.
    pub time_scale: f64,
    /// Where webhooks go; nowhere, until one is set.
    pub webhook_url: Option<String>,
    /// What webhooks are signed with.
    pub webhook_secret: String,
    /// The one client's id.
    pub client_id: String,
    /// The one client's secret.
    pub client_secret: String,
    /// Where the state is kept over a restart; without one it is not kept.
    pub data_dir: Option<PathBuf>,
    /// The longest pause between tries to sync with a platform that is offline. Real time.
    pub sync_backoff_max: Duration,
    /// No connection syncs less often than this. Simulated time.
    pub max_cadence: Duration,
    /// How many requests a minute an Admin API token may make. Real time.
    pub rate_per_minute: u32,
    /// How `sync_status` is spelled in the dialect `openapi_2025`.
    pub sync_status_spelling: Spelling,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4010)),
            connections: 250,
            seed: 7,
            dialect: Dialect::FaqV1,
            story: true,
            time_scale: 60.0,
            webhook_url: None,
            webhook_secret: "whsec_linewatch_demo".to_owned(),
            client_id: "linewatch-demo".to_owned(),
            client_secret: "linewatch-demo-secret".to_owned(),
            data_dir: None,
            sync_backoff_max: Duration::from_secs(60),
            max_cadence: Duration::from_secs(24 * 3600),
            rate_per_minute: 600,
            sync_status_spelling: Spelling::Both,
        }
    }
}

/// Leaves the secrets out.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("connections", &self.connections)
            .field("seed", &self.seed)
            .field("dialect", &self.dialect)
            .field("story", &self.story)
            .field("time_scale", &self.time_scale)
            .field("webhook_url", &self.webhook_url)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

/// A wire format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// What the FAQ of makini.io tells.
    #[default]
    FaqV1,
    /// What the OpenAPI files of 2025 tell.
    Openapi2025,
}

/// How `sync_status` is spelled: Makini's documents have had it both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// Each connection keeps to one of the two, so that a fleet has both.
    #[default]
    Both,
    /// `inprogress`, `fulldone`.
    Joined,
    /// `in_progress`, `full_done`.
    Underscored,
}

/// No dialect is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no dialect: there are faq_v1 and openapi_2025")]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "faq_v1" => Ok(Self::FaqV1),
            "openapi_2025" => Ok(Self::Openapi2025),
            _ => Err(UnknownDialect(text.to_owned())),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FaqV1 => "faq_v1",
            Self::Openapi2025 => "openapi_2025",
        })
    }
}
