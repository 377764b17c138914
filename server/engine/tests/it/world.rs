//! A whole Linewatch without doors: real Postgres, the simulator, every worker by hand so that a story says what happens when.

use bytes::Bytes;
use engine::{
    clock::{SharedClock, SystemClock},
    desk::Desk,
    housekeeping,
    http::Outbound,
    live::Live,
    notify::Sender,
    poll::{Poller, Upstreams},
    vault::{MasterKey, Vault},
    webhook::{Accepted, Door, DoorLimits, Refused, process::Processor},
    work::{Step, Workers},
};
use hmac::{Hmac, Mac};
use model::{
    Actor, ActorKind, Backend, Connection, ConnectionDetail, ConnectionId, ConnectionQuery, Dialect, Environment,
    Health, NewSource, Role, Source, SourcePatch, TokenId, TokenOwnership,
};
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The webhook secret of the one source.
pub const SECRET: &str = "whsec_of_this_world";

/// A Linewatch whose workers are moved by hand.
pub struct World {
    pub pool: PgPool,
    pub clock: SharedClock,
    pub makini: simulator::Running,
    pub desk: Desk,
    pub poller: Poller,
    pub processor: Processor,
    pub door: Door,
    pub source: Source,
    client: reqwest::Client,
    _live: Live,
    _cancel: tokio_util::sync::DropGuard,
}

/// Who asks in these stories.
pub fn admin() -> Actor {
    Actor { kind: ActorKind::Token(TokenId(uuid::Uuid::nil())), name: "story".to_owned(), role: Role::Admin }
}

impl World {
    /// A world with this many connections, none of them unwell, and webhooks not sent anywhere.
    pub async fn new(pool: PgPool, connections: usize) -> Self {
        Self::with(pool, simulator::Options { connections, ..calm() }).await
    }

    pub async fn with(pool: PgPool, options: simulator::Options) -> Self {
        Self::with_source(pool, options, |_| {}).await
    }

    /// The same with a source that is set otherwise. It speaks the simulator's dialect.
    pub async fn with_source(pool: PgPool, options: simulator::Options, set: impl FnOnce(&mut NewSource)) -> Self {
        let dialect: Dialect = options.dialect.to_string().parse().unwrap();
        let clock: SharedClock = Arc::new(SystemClock);
        let makini = simulator::start(options).await.expect("the simulator starts");
        housekeeping::ensure_partitions(&mut pool.acquire().await.unwrap(), clock.now()).await.unwrap();
        let vault = Vault::new(MasterKey::generate(), Arc::clone(&clock));
        let outbound = Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let upstreams = Upstreams::new(pool.clone(), Arc::clone(&clock), vault.clone(), outbound.clone());
        let cancel = CancellationToken::new();
        let live = Live::start(&pool, cancel.clone());
        live.ready().await;
        let (checks, events) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let sender =
            Sender::new(pool.clone(), Arc::clone(&clock), vault.clone(), &outbound, None, "https://linewatch.example");
        let desk = Desk {
            pool: pool.clone(),
            clock: Arc::clone(&clock),
            vault: vault.clone(),
            outbound,
            upstreams: upstreams.clone(),
            public_url: "https://linewatch.example".to_owned(),
            version: "0.0.0",
            certificate: tokio::sync::watch::channel(None).1,
            rounds: Arc::default(),
            checks: Arc::clone(&checks),
            events: Arc::clone(&events),
            sender: sender.clone(),
        };
        let mut new = NewSource { dialect, ..new_source(&makini.url()) };
        set(&mut new);
        let source = desk.add_source(&admin(), new).await.expect("the source is added");
        let door = Door::new(pool.clone(), vault.clone(), Arc::clone(&clock), &live, events, DoorLimits::default());
        Self {
            poller: Poller::new(pool.clone(), Arc::clone(&clock), upstreams, Arc::clone(&checks)),
            processor: Processor::new(pool.clone(), Arc::clone(&clock), checks),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            pool,
            clock,
            makini,
            desk,
            door,
            source,
            _live: live,
            _cancel: cancel.drop_guard(),
        }
    }

    /// One round over the source, now.
    pub async fn round(&self) {
        sqlx::query("update source set due_at = now() - interval '1 hour'").execute(&self.pool).await.unwrap();
        assert_eq!(self.poller.round().await.unwrap(), Step::Busy);
    }

    /// Does everything that is due, until nothing is.
    pub async fn settle(&self) {
        for _ in 0..1_000 {
            let steps = [
                self.processor.step().await.unwrap(),
                self.poller.check().await.unwrap(),
                Workers::judge_due(&self.pool, &self.clock).await.unwrap(),
            ];
            if steps.iter().all(|step| *step == Step::Idle) {
                return;
            }
        }
        panic!("there is always something to do");
    }

    /// Says something to the simulator's control door.
    pub async fn sim(&self, path: &str, body: Value) {
        let url = format!("{}{path}", self.makini.url());
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    }

    /// Lets something happen to a connection upstream.
    pub async fn act(&self, key: &str, action: &str) {
        self.sim(&format!("/_sim/connections/{key}/actions"), json!({"action": action})).await;
    }

    /// Every connection.
    pub async fn connections(&self) -> Vec<Connection> {
        let query = ConnectionQuery { limit: Some(200), ..ConnectionQuery::default() };
        self.desk.connections(&admin(), query).await.unwrap().items
    }

    /// One connection.
    pub async fn connection(&self, id: ConnectionId) -> ConnectionDetail {
        self.desk.connection(&admin(), id).await.unwrap()
    }

    /// A connection that is well.
    pub async fn a_healthy_one(&self) -> Connection {
        let all = self.connections().await;
        all.into_iter().find(|connection| connection.health == Health::Healthy).expect("one is healthy")
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Hands a webhook to the door, signed with the source's secret.
    pub async fn hear(&self, body: &Value) -> Result<Accepted, Refused> {
        let body = Bytes::from(body.to_string());
        self.door.accept(&self.source.name, &signed(SECRET, &body), body).await
    }
}

/// A simulator in which nothing happens by itself.
pub fn calm() -> simulator::Options {
    simulator::Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        story: false,
        // syncs take their time, so that nothing finishes by itself while a story is told
        time_scale: 1.0,
        rate_per_minute: 1_000_000,
        sync_backoff_max: Duration::from_secs(30),
        ..simulator::Options::default()
    }
}

fn new_source(url: &str) -> NewSource {
    let defaults = simulator::Options::default();
    NewSource {
        name: "makini".to_owned(),
        environment: Environment::Production,
        dialect: Dialect::FaqV1,
        base_url: url.to_owned(),
        client_id: defaults.client_id,
        client_secret: defaults.client_secret,
        webhook_secret: Some(SECRET.to_owned()),
        settings: SourcePatch {
            rate_per_minute: Some(60_000),
            cadence_seconds: Some(Some(86_400)),
            token_ownership: Some(TokenOwnership::Linewatch),
            ..SourcePatch::default()
        },
    }
}

/// The headers of a webhook with this body.
pub fn signed(secret: &str, body: &[u8]) -> HeaderMap {
    use base64::Engine as _;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-webhook-signature", HeaderValue::from_str(&signature).unwrap());
    headers
}
