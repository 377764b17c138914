//! A simulator, a client, and somebody who receives webhooks.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use simulator::{Dialect, Options, Running};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A calm simulator on a free port: nothing happens by itself but syncs once in a while.
pub fn calm() -> Options {
    Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        connections: 12,
        story: false,
        max_cadence: Duration::from_secs(24 * 3600),
        time_scale: 1.0,
        ..Options::default()
    }
}

/// The same in the other dialect.
pub fn openapi() -> Options {
    Options { dialect: Dialect::Openapi2025, ..calm() }
}

/// A running simulator with an Admin token.
pub struct Bench {
    pub makini: Running,
    pub http: reqwest::Client,
    pub admin: String,
    pub inbox: Inbox,
}

impl Bench {
    pub async fn start(options: Options) -> Self {
        let inbox = Inbox::open().await;
        let options = Options { webhook_url: Some(inbox.url.clone()), ..options };
        Self::around(simulator::start(options).await.expect("a simulator"), inbox).await
    }

    pub async fn around(makini: Running, inbox: Inbox) -> Self {
        let http = client();
        let mut bench = Self { makini, http, admin: String::new(), inbox };
        let pair = bench.pair().await;
        bench.admin = pair["access_token"].as_str().expect("a token").to_owned();
        bench
    }

    /// A new pair of tokens.
    pub async fn pair(&self) -> Value {
        let ask = json!({
            "grant_type": "client_credentials",
            "client_id": "linewatch-demo",
            "client_secret": "linewatch-demo-secret",
        });
        let answer = self.http.post(self.at("/link/token")).json(&ask).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.makini.url())
    }

    /// A request with the Admin token.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.at(path)).bearer_auth(&self.admin)
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "GET {path}");
        answer.json().await.expect("JSON")
    }

    pub async fn control(&self, method: Method, path: &str, body: Value) -> Response {
        self.http.request(method, self.at(path)).json(&body).send().await.expect("an answer")
    }

    pub async fn act(&self, key: &str, action: &str) {
        let path = format!("/_sim/connections/{key}/actions");
        let answer = self.control(Method::POST, &path, json!({ "action": action })).await;
        assert_eq!(answer.status(), 204, "{action}: {:?}", answer.text().await);
    }

    pub async fn fault(&self, fault: &str, value: f64, scope: &str) -> u64 {
        let body = json!({ "fault": fault, "value": value, "scope": scope });
        let answer = self.control(Method::POST, "/_sim/faults", body).await;
        assert_eq!(answer.status(), 201, "{fault}");
        answer.json::<Value>().await.expect("JSON")["id"].as_u64().expect("an id")
    }

    /// The connection's own token.
    pub async fn token(&self, key: &str) -> String {
        let path = format!("/api/system/connections/{key}/token");
        let answer = self.ask(Method::POST, &path).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.expect("JSON")["token"].as_str().expect("a token").to_owned()
    }

    /// What is answered to this token: the status and the body.
    pub async fn say(&self, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.request(method, self.at(path)).bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// The same, of a request that is answered well.
    pub async fn read(&self, token: &str, path: &str) -> Value {
        let (status, body) = self.say(token, Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// A connection to this platform that is no sandbox.
    pub fn key_on(&self, platform: &str) -> String {
        let all = self.makini.connections();
        let found = all.iter().find(|one| one.platform == platform && !one.sandbox);
        found.unwrap_or_else(|| panic!("no connection to {platform}")).key.clone()
    }

    pub fn key(&self, place: usize) -> String {
        self.makini.connections()[place].key.clone()
    }
}

/// A client of our own; no simulator need be there that has chosen who does its cryptography.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client")
}

/// Somebody who receives webhooks, and answers as told.
#[derive(Clone)]
pub struct Inbox {
    pub url: String,
    got: Arc<Mutex<Vec<Received>>>,
    answer: Arc<AtomicU16>,
}

/// A webhook as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub signature: String,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub body: Value,
}

impl Inbox {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}/webhooks/demo", listener.local_addr().expect("an address"));
        let inbox = Self { url, got: Arc::default(), answer: Arc::new(AtomicU16::new(200)) };
        let app = Router::new().route("/webhooks/demo", post(receive)).with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        inbox
    }

    /// From now on answers with this status.
    pub fn answer(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    pub fn all(&self) -> Vec<Received> {
        self.got.lock().expect("not poisoned").clone()
    }

    /// What came about this connection.
    pub fn about(&self, key: &str) -> Vec<Received> {
        self.all().into_iter().filter(|one| one.body["connection_id"] == key).collect()
    }

    /// What came in the bare form of this event: the ids.
    pub fn bare(&self, event: &str) -> Vec<Vec<String>> {
        let all = self.all();
        let found = all.iter().filter(|one| one.body["event"] == event && one.body["body"].is_array());
        found.map(|one| serde_json::from_value(one.body["body"].clone()).expect("ids")).collect()
    }

    /// Waits for an event about this connection.
    pub async fn wait_for(&self, key: &str, event: &str) -> Received {
        eventually(event, || self.about(key).into_iter().find(|one| one.body["event"] == event)).await
    }
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    let signature = headers.get("x-webhook-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = serde_json::from_slice(&bytes).expect("webhooks are JSON");
    let received = Received { signature: signature.to_owned(), headers: headers.clone(), bytes, body };
    inbox.got.lock().expect("not poisoned").push(received);
    StatusCode::from_u16(inbox.answer.load(Ordering::SeqCst)).expect("a status")
}

/// Waits until there is something, and fails after ten seconds.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
