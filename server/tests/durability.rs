//! What was answered 200 survives kill -9, and is there once.

use base64::Engine as _;
use engine::clock::{Clock as _, SystemClock};
use hmac::{Hmac, Mac};
use model::{Backend as _, Dialect, Environment, NewSource, Role, SourcePatch, TokenId};
use serde_json::json;
use sha2::Sha256;
use sqlx::{ConnectOptions as _, PgPool};
use std::{
    collections::HashSet,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

const SECRET: &str = "whsec_of_the_durability_test";
/// `serve` refuses to start with the demo's own.
const CLIENT_SECRET: &str = "client-secret-of-the-durability-test";

/// A `linewatch serve` that is killed without warning.
struct Linewatch(Child);

impl Linewatch {
    fn start(database: &str, key: &str, port: u16, data: &std::path::Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_linewatch"))
            .arg("serve")
            .env("DATABASE_URL", database)
            .env("PORT", port.to_string())
            .env("LINEWATCH_SECRETS_KEY", key)
            .env("LINEWATCH_AUTH_PASSWORD", "a password of this test")
            .env("LINEWATCH_DATA_DIR", data)
            .env("LINEWATCH_OUTBOUND_ALLOW", "127.0.0.0/8")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(data.join("stderr.log")).expect("a log"))
            .spawn()
            .expect("linewatch starts");
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().expect("it was running");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Linewatch {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn sign(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    mac.update(body.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

async fn ready(client: &reqwest::Client, base: &str, data: &std::path::Path) {
    let began = Instant::now();
    loop {
        if let Ok(answer) = client.get(format!("{base}/readyz")).send().await
            && answer.status() == 200
        {
            return;
        }
        let log = || std::fs::read_to_string(data.join("stderr.log")).unwrap_or_default();
        assert!(began.elapsed() < Duration::from_secs(40), "linewatch did not become ready:\n{}", log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn send(client: &reqwest::Client, base: &str, id: u32, key: &str) -> Option<serde_json::Value> {
    let flow = if id.is_multiple_of(2) { "online" } else { "offline" };
    let body = json!({"id": format!("evt_{id}"), "event": "connection.status_changed", "timestamp": SystemClock.now(),
        "connection_id": key, "data": {"status": flow}})
    .to_string();
    let request = client
        .post(format!("{base}/webhooks/makini"))
        .header("content-type", "application/json")
        .header("x-webhook-signature", sign(&body))
        .body(body);
    let answer = request.send().await.ok()?;
    if answer.status() == 200 { answer.json().await.ok() } else { None }
}

#[sqlx::test(migrations = "../migrations")]
async fn kill_9_under_load_loses_nothing_that_was_answered_200_and_doubles_nothing(pool: PgPool) {
    let makini = simulator::start(simulator::Options {
        listen: "127.0.0.1:0".parse().expect("an address"),
        connections: 40,
        story: false,
        time_scale: 1.0,
        client_secret: CLIENT_SECRET.to_owned(),
        ..simulator::Options::default()
    })
    .await
    .expect("the simulator starts");
    let master = engine::vault::MasterKey::generate();
    let key = master.to_text().expose().to_owned();
    add_source(&pool, master, &makini.url()).await;

    let data = tempfile::tempdir().expect("a directory");
    let database = pool.connect_options().to_url_lossy().to_string();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let base = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a client");

    let linewatch = Linewatch::start(&database, &key, port, data.path());
    ready(&client, &base, data.path()).await;
    let keys: Arc<Vec<String>> = Arc::new(makini.connections().into_iter().map(|connection| connection.key).collect());
    listed(&pool, keys.len()).await;

    // 32 senders at once; in the middle the process is killed
    let answered: Arc<Mutex<HashSet<u32>>> = Arc::default();
    let (next, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let senders: Vec<_> = (0..32)
        .map(|_| {
            let (client, base, keys) = (client.clone(), base.clone(), Arc::clone(&keys));
            let (answered, next, stop) = (Arc::clone(&answered), Arc::clone(&next), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let id = next.fetch_add(1, Ordering::SeqCst);
                    if send(&client, &base, id, &keys[id as usize % keys.len()]).await.is_some() {
                        answered.lock().expect("no panic").insert(id);
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    linewatch.kill();
    stop.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.expect("a sender ends");
    }
    let answered = answered.lock().expect("no panic").clone();
    let sent = next.load(Ordering::SeqCst);
    assert!(answered.len() > 100, "too little load to prove anything: {} answered", answered.len());

    let _again = Linewatch::start(&database, &key, port, data.path());
    ready(&client, &base, data.path()).await;
    // Makini sends again whatever was not answered, and some of what was
    for id in 0..sent {
        if !answered.contains(&id) || id.is_multiple_of(10) {
            let answer = send(&client, &base, id, &keys[id as usize % keys.len()]).await.expect("it is taken now");
            assert!(!answered.contains(&id) || answer["duplicate"] == true, "evt_{id} was answered before: {answer}");
        }
    }
    processed(&pool).await;
    let ids: Vec<String> =
        sqlx::query_scalar("select webhook_id from event").fetch_all(&pool).await.expect("events are there");
    let distinct: HashSet<_> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), distinct.len(), "an event is stored twice");
    let lost: Vec<_> = (0..sent).filter(|id| !distinct.contains(&format!("evt_{id}"))).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let doubled: i64 = sqlx::query_scalar(
        "select count(*) from (select event_id from evidence where event_id is not null group by event_id having count(*) > 1) d",
    )
    .fetch_one(&pool)
    .await
    .expect("evidence is there");
    assert_eq!(doubled, 0, "an event was applied twice");
}

async fn add_source(pool: &PgPool, key: engine::vault::MasterKey, url: &str) {
    let clock: engine::clock::SharedClock = Arc::new(engine::clock::SystemClock);
    let vault = engine::vault::Vault::new(key, Arc::clone(&clock));
    let outbound = engine::http::Outbound::new(vec!["127.0.0.0/8".parse().expect("a network")]);
    let upstreams = engine::poll::Upstreams::new(pool.clone(), Arc::clone(&clock), vault.clone(), outbound.clone());
    let sender = engine::notify::Sender::new(
        pool.clone(),
        Arc::clone(&clock),
        vault.clone(),
        &outbound,
        None,
        "http://localhost",
    );
    let desk = engine::desk::Desk {
        pool: pool.clone(),
        clock,
        vault,
        outbound,
        upstreams,
        public_url: String::new(),
        version: "0.0.0",
        certificate: tokio::sync::watch::channel(None).1,
        rounds: Arc::default(),
        checks: Arc::default(),
        events: Arc::default(),
        sender,
    };
    let actor = model::Actor {
        kind: model::ActorKind::Token(TokenId(uuid::Uuid::nil())),
        name: "test".to_owned(),
        role: Role::Admin,
    };
    let new = NewSource {
        name: "makini".to_owned(),
        environment: Environment::Sandbox,
        dialect: Dialect::FaqV1,
        base_url: url.to_owned(),
        client_id: simulator::Options::default().client_id,

        client_secret: CLIENT_SECRET.to_owned(),
        webhook_secret: Some(SECRET.to_owned()),
        settings: SourcePatch { rate_per_minute: Some(60_000), ..SourcePatch::default() },
    };
    desk.add_source(&actor, new).await.expect("the source is added");
}

async fn listed(pool: &PgPool, connections: usize) {
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>("select count(*) from connection").fetch_one(pool).await.expect("a count")
        < connections as i64
    {
        assert!(began.elapsed() < Duration::from_secs(30), "the first round never came");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn processed(pool: &PgPool) {
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>("select count(*) from event_due").fetch_one(pool).await.expect("a count") > 0 {
        assert!(began.elapsed() < Duration::from_secs(240), "events still wait: their leases should have run out");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
