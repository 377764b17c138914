//! The world of a test: one server, one database, a clock that stands still until it is moved.

use crate::caller::Caller;
use engine::clock::{Clock as _, SystemClock, TestClock};
use engine::housekeeping::ensure_partitions;
use engine::live::Live;
use engine::people::Given;
use engine::vault::MasterKey;
use model::{Actor, NewSource, Source};
use serde_json::json;
use server::config::{Config, Purpose};
use server::lifecycle::Lifecycle;
use server::wiring::{Parts, assemble, local_url, router};
use sqlx::PgPool;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The administrator.
pub const EMAIL: &str = "admin@example.com";
pub const PASSWORD: &str = "correct horse battery staple";
/// The API token.
pub const TOKEN: &str = "lw_a-token-for-tests-and-nothing-else";
/// The one source's webhook secret.
pub const WEBHOOK_SECRET: &str = "whsec_test_secret_0123456789";

/// One server, one database, one clock.
pub struct World {
    pub url: String,
    pub clock: Arc<TestClock>,
    pub parts: Parts,
    pub life: Lifecycle,
    server: JoinHandle<()>,
}

impl World {
    /// A server over this database, with an administrator and a token.
    pub async fn new(pool: PgPool) -> Self {
        Self::with(pool, &[]).await
    }

    /// The same, with variables set.
    pub async fn with(pool: PgPool, set: &[(&str, &str)]) -> Self {
        let find = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let config = Config::read(Purpose::Schema, find).unwrap();
        let clock = TestClock::at(SystemClock.now());
        ensure_partitions(&mut pool.acquire().await.unwrap(), clock.now()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = local_url(listener.local_addr().unwrap());
        let public = config.http.public_url.clone().unwrap_or(local.clone());
        let life = Lifecycle::default();
        let live = Live::start(&pool, life.hard.clone());
        live.ready().await;
        let key = config.secrets.key.clone().unwrap_or_else(MasterKey::generate);
        let (parts, _work) = assemble(&config, &pool, clock.clone(), key, public, live, life.soft.clone());
        parts.people.ensure_administrator(EMAIL, Given::Secret(PASSWORD.into())).await.unwrap();
        parts.people.ensure_api_token("test", Given::Secret(TOKEN.into())).await.unwrap();
        let server = tokio::spawn(server::listen::serve(listener, router(parts.clone()), life.clone()));
        let url = local.as_str().trim_end_matches('/').to_owned();
        Self { url, clock, parts, life, server }
    }

    /// Nobody.
    pub fn anonymous(&self) -> Caller {
        Caller::new(&self.url)
    }

    /// A machine with the token.
    pub fn machine(&self) -> Caller {
        self.anonymous().with("authorization", &format!("Bearer {TOKEN}"))
    }

    /// The administrator, signed in, on one of our own pages.
    pub async fn admin(&self) -> Caller {
        let cookie = self.sign_in().await;
        self.anonymous().with("cookie", &cookie).with("origin", &self.url)
    }

    /// Signs the administrator in; the cookie.
    pub async fn sign_in(&self) -> String {
        let answer = self.anonymous().form("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let cookie = answer.header("set-cookie").unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Who the machine is.
    pub async fn actor(&self) -> Actor {
        self.parts.people.bearer(TOKEN).await.unwrap().unwrap()
    }

    /// Adds a source of this name, with the webhook secret.
    pub async fn source(&self, name: &str) -> Source {
        let new: NewSource = serde_json::from_value(json!({
            "name": name,
            "base_url": "https://makini.example.com",
            "client_id": "client",
            "client_secret": "client-secret-0123456789",
            "webhook_secret": WEBHOOK_SECRET,
        }))
        .unwrap();
        self.parts.backend.add_source(&self.actor().await, new).await.unwrap()
    }

    /// Stops softly; everything must end by itself.
    pub async fn stop(self) {
        self.life.soft.cancel();
        tokio::time::timeout(std::time::Duration::from_secs(5), self.server).await.expect("stops in time").unwrap();
        self.parts.door.shutdown().await;
        self.life.hard.cancel();
    }
}
