//! From a configuration to a running Linewatch: the one place that knows every type.

pub mod database;
pub mod first;
mod served;

pub use self::database::Database;
pub use self::first::{Entry, entry, master_key, refuse_demo_secrets};
pub use self::served::{Role, Served, assemble, serve};
pub use crate::router::{router, worker_router};

use engine::clock::SharedClock;
use engine::live::Live;
use engine::people::People;
use engine::reconnect::Reconnect;
use engine::tell::Links;
use engine::webhook::Door;
use ipnet::IpNet;
use leptos::config::LeptosOptions;
use metrics_exporter_prometheus::PrometheusHandle;
use model::{Backend, Certificate};
use sqlx::PgPool;
use std::net::SocketAddr;
use std::ops::Deref;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What the doors work with. Cheap to clone, because every request does so once and again.
#[derive(Clone)]
pub struct Parts(Arc<Each>);

impl Deref for Parts {
    type Target = Each;

    fn deref(&self) -> &Each {
        &self.0
    }
}

impl From<Each> for Parts {
    fn from(each: Each) -> Self {
        Self(Arc::new(each))
    }
}

/// Each of the [`Parts`].
pub struct Each {
    /// The desk that answers.
    pub backend: Arc<dyn Backend>,
    /// Who asks.
    pub people: People,
    /// Where webhooks go.
    pub door: Door,
    /// Customers who sign in again.
    pub reconnect: Reconnect,
    /// Links in messages about alerts.
    pub links: Links,
    /// What changed.
    pub live: Live,
    /// For looking whether the database is well; questions go to the desk.
    pub pool: PgPool,
    /// The time.
    pub clock: SharedClock,
    /// What was counted.
    pub metrics: PrometheusHandle,
    /// Where the site is.
    pub leptos: LeptosOptions,
    /// Where the newest look at the certificate of the public address goes.
    pub certificate: watch::Sender<Option<Certificate>>,
    /// The address that people use.
    pub public_url: Arc<Url>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How long a webhook's body may take to arrive.
    pub body_patience: Duration,
    /// Cancelled when it is time to stop.
    pub stop: CancellationToken,
}

impl Each {
    /// Whether people come over https.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// The address that people use, as nobody said otherwise: the one we listen at.
pub fn local_url(address: SocketAddr) -> Url {
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let mut url = Url::parse("http://localhost").unwrap_or_else(|_| unreachable!("a constant"));
    let _ = url.set_host(Some(&host));
    let _ = url.set_port(Some(address.port()));
    url
}

/// A URL without the slash at its end, to put paths behind.
pub fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Why something does not start, in a sentence for whoever started it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_we_listen_at_becomes_one_that_can_be_opened() {
        for (address, url) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("0.0.0.0:80", "http://localhost"),
            ("[::]:3000", "http://localhost:3000"),
            ("[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(base(&local_url(address.parse().unwrap())), url);
        }
    }
}
