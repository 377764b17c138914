//! The upstream client against the simulator, and against servers that mean no good.

use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{Clock, SharedClock, SystemClock, TestClock, new_id},
    http::{Outbound, Timeouts},
    makini::{CircuitState, ErrorClass, SyncStatus, Upstream, UpstreamConfig},
    vault::{MasterKey, SecretKind, Vault},
};
use futures::future::join_all;
use model::{Dialect, Mappings, SourceId, TokenOwnership, UpstreamStatus};
use serde_json::{Value, json};
use simulator::{Options, Running};
use sqlx::PgPool;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const SECRET: &str = "linewatch-demo-secret";

/// What one process needs to ask one upstream.
struct Bench {
    pool: PgPool,
    vault: Vault,
    clock: Arc<TestClock>,
    config: UpstreamConfig,
    timeouts: Timeouts,
}

impl Bench {
    async fn new(pool: PgPool, base_url: String) -> Self {
        let clock = TestClock::at(SystemClock.now());
        let bench = Self {
            vault: Vault::new(MasterKey::generate(), clock.clone()),
            pool,
            clock,
            config: UpstreamConfig {
                source: SourceId(new_id()),
                dialect: Dialect::FaqV1,
                base_url,
                client_id: "linewatch-demo".into(),
                token_ownership: TokenOwnership::External,
                rate_per_minute: 60_000,
                mappings: Mappings::default(),
            },
            timeouts: Timeouts::default(),
        };
        bench.set_secret(SECRET).await;
        bench
    }

    async fn set_secret(&self, secret: &str) {
        let mut conn = self.pool.acquire().await.unwrap();
        let owner = self.config.source.0;
        self.vault.replace(&mut conn, owner, SecretKind::ClientSecret, &secret.into(), None).await.unwrap();
    }

    /// A process that has just started.
    fn upstream(&self) -> Upstream {
        let clock: SharedClock = self.clock.clone();
        let (pool, vault, config) = (self.pool.clone(), self.vault.clone(), self.config.clone());
        Upstream::with_timeouts(&outbound(), self.timeouts, pool, vault, clock, config).unwrap()
    }

    /// Our pair of tokens, as other processes find it.
    async fn kept(&self) -> Value {
        let mut conn = self.pool.acquire().await.unwrap();
        let kept = self.vault.newest(&mut conn, self.config.source.0, SecretKind::AdminToken).await.unwrap();
        serde_json::from_str(kept.unwrap().secret.expose()).unwrap()
    }
}

fn outbound() -> Outbound {
    Outbound::new(vec!["127.0.0.0/8".parse().unwrap()])
}

async fn makini(connections: usize) -> Running {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    simulator::start(Options { listen, connections, story: false, ..Options::default() }).await.unwrap()
}

/// Posts to the simulator, by its control door or as somebody else would.
async fn post(makini: &Running, path: &str, body: Value) -> Value {
    let client = outbound().client(Timeouts::default()).unwrap();
    let url = format!("{}{path}", makini.url());
    let response = client.request(reqwest::Method::POST, &url).unwrap().json(&body).send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.json().await.unwrap_or_default()
}

async fn fault(makini: &Running, fault: &str, value: f64, scope: &str) {
    post(makini, "/_sim/faults", json!({ "fault": fault, "value": value, "scope": scope })).await;
}

async fn end_faults(makini: &Running) {
    let client = outbound().client(Timeouts::default()).unwrap();
    let url = format!("{}/_sim/faults", makini.url());
    client.request(reqwest::Method::DELETE, &url).unwrap().send().await.unwrap();
}

async fn act(makini: &Running, key: &str, action: &str) {
    post(makini, &format!("/_sim/connections/{key}/actions"), json!({ "action": action })).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_large_account_is_listed_page_by_page_with_one_sign_in(pool: PgPool) {
    let makini = makini(1_234).await;
    let bench = Bench::new(pool, makini.url()).await;
    let upstream = bench.upstream();
    let (mut keys, mut pages, mut cursor) = (BTreeSet::new(), Vec::new(), None::<String>);
    loop {
        let answer = upstream.list(cursor.as_deref()).await.unwrap();
        assert_eq!((answer.value.total, answer.value.undecodable), (Some(1_234), 0));
        assert_eq!(answer.api_version.as_deref(), Some("v1"));
        assert!(answer.request_id.is_some() && answer.sent_at <= answer.received_at);
        assert!((answer.upstream_date.unwrap() - answer.sent_at).abs() < TimeDelta::seconds(30));
        pages.push(answer.value.seen.len());
        keys.extend(answer.value.seen.into_iter().map(|seen| seen.key));
        cursor = answer.value.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, [500, 500, 234]);
    let expected: BTreeSet<_> = makini.connections().into_iter().map(|connection| connection.key).collect();
    assert_eq!(keys, expected);
    assert_eq!(makini.counters().token_pairs, 1);

    bench.upstream().list(None).await.unwrap();
    assert_eq!(makini.counters().token_pairs, 1, "another process finds the pair in the vault");
    makini.shutdown().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_pair_is_refreshed_before_it_ends(pool: PgPool) {
    let makini = makini(3).await;
    let bench = Bench::new(pool, makini.url()).await;
    let upstream = bench.upstream();
    upstream.list(None).await.unwrap();
    let first = bench.kept().await;
    let until: DateTime<Utc> = first["expires_at"].as_str().unwrap().parse().unwrap();
    bench.clock.set(until - TimeDelta::minutes(30));
    upstream.list(None).await.unwrap();
    let second = bench.kept().await;
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(makini.counters().token_pairs, 2);

    // By the refresh token: that of the first pair is used up.
    let client = outbound().client(Timeouts::default()).unwrap();
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": first["refresh_token"],
        "client_id": "linewatch-demo", "client_secret": SECRET,
    });
    let url = format!("{}/link/token", makini.url());
    let again = client.request(reqwest::Method::POST, &url).unwrap().json(&body).send().await.unwrap();
    assert_eq!(again.status(), 401);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_revoked_pair_costs_one_new_sign_in_however_many_ask(pool: PgPool) {
    let makini = makini(3).await;
    let bench = Bench::new(pool, makini.url()).await;
    let upstream = bench.upstream();
    upstream.list(None).await.unwrap();
    revoke(&makini, &bench).await;
    let answers = join_all((0..8).map(|_| upstream.list(None))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(makini.counters().token_pairs, 3, "ours, the one that killed it, and one new");

    revoke(&makini, &bench).await;
    let key = &makini.connections()[0].key;
    assert!(upstream.one(key).await.is_ok());
    assert_eq!(makini.counters().token_pairs, 5);
}

/// Somebody else uses our refresh token: our pair is dead.
async fn revoke(makini: &Running, bench: &Bench) {
    let refresh = bench.kept().await["refresh_token"].clone();
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": refresh,
        "client_id": "linewatch-demo", "client_secret": SECRET,
    });
    post(makini, "/link/token", body).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn wrong_credentials_are_said_once_and_mended_at_once(pool: PgPool) {
    let makini = makini(3).await;
    let bench = Bench::new(pool, makini.url()).await;
    bench.set_secret("not-the-right-secret").await;
    let upstream = bench.upstream();
    let error = upstream.list(None).await.unwrap_err();
    assert_eq!((error.class, error.status), (ErrorClass::Credentials, Some(401)));
    assert!(!format!("{error:?}").contains("not-the-right-secret"));
    assert!(!error.is_retryable() && error.request_id.is_some());
    let asked = makini.counters().requests;
    assert_eq!(upstream.list(None).await.unwrap_err().class, ErrorClass::Credentials);
    assert_eq!(makini.counters().requests, asked, "not shown again so soon");
    let steps = upstream.test().await;
    assert_eq!(steps.iter().map(|step| step.ok).collect::<Vec<_>>(), [false]);

    bench.set_secret(SECRET).await;
    assert!(upstream.list(None).await.is_ok(), "other credentials are tried at once");
    let steps = upstream.test().await;
    let said: Vec<_> = steps.iter().map(|step| (step.ok, step.detail.as_str())).collect();
    assert_eq!(
        said,
        [(true, "The client credentials are good."), (true, "Connections: 3."), (true, "Answers name version v1.")]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_limit_is_kept_in_both_forms_and_not_asked_against(pool: PgPool) {
    let makini = makini(3).await;
    let bench = Bench::new(pool, makini.url()).await;
    fault(&makini, "rate_limit", 2.0, "all").await;
    for _ in 0..2 {
        // Twice a process: the simulator writes seconds and a date in turn.
        let upstream = bench.upstream();
        let refused = loop {
            match upstream.list(None).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!((refused.class, refused.status), (ErrorClass::RateLimited, Some(429)));
        let wait = refused.retry_after.unwrap();
        assert!(wait > Duration::from_secs(30) && wait <= Duration::from_secs(62), "{wait:?}");
        let asked = makini.counters().requests;
        let held = upstream.list(None).await.unwrap_err();
        assert_eq!((held.class, held.status), (ErrorClass::RateLimited, None));
        assert!(held.retry_after.unwrap() >= wait - Duration::from_secs(1));
        assert_eq!(makini.counters().requests, asked, "held back here");
        assert_eq!(upstream.budget().circuit, CircuitState::Closed, "too often is no fault");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_outage_opens_the_circuit_and_its_end_closes_it(pool: PgPool) {
    let makini = makini(3).await;
    let bench = Bench::new(pool, makini.url()).await;
    let upstream = bench.upstream();
    upstream.list(None).await.unwrap();
    fault(&makini, "outage", 1.0, "all").await;
    for _ in 0..5 {
        let error = upstream.list(None).await.unwrap_err();
        assert_eq!((error.class, error.status), (ErrorClass::Upstream, Some(503)));
        assert!(error.is_retryable());
    }
    let asked = makini.counters().requests;
    let error = upstream.list(None).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::CircuitOpen);
    assert!(error.retry_after.unwrap() >= Duration::from_secs(4));
    assert_eq!((makini.counters().requests, upstream.budget().circuit), (asked, CircuitState::Open));

    bench.clock.advance(TimeDelta::seconds(8));
    assert_eq!(upstream.list(None).await.unwrap_err().class, ErrorClass::Upstream, "the probe");
    assert_eq!(upstream.list(None).await.unwrap_err().class, ErrorClass::CircuitOpen);
    end_faults(&makini).await;
    bench.clock.advance(TimeDelta::seconds(15));
    assert!(upstream.list(None).await.is_ok());
    assert_eq!((upstream.budget().circuit, upstream.budget().faults), (CircuitState::Closed, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_sign_in_that_fails_fails_for_all_who_wait(pool: PgPool) {
    let (url, asked) = scripted(|_| Reaction::Silence).await;
    let mut bench = Bench::new(pool, url).await;
    bench.timeouts.total = Duration::from_millis(500);
    let upstream = bench.upstream();
    let begin = Instant::now();
    let answers = join_all((0..8).map(|_| upstream.list(None))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|error| error.class == ErrorClass::Unreachable)));
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert!(begin.elapsed() < Duration::from_secs(3), "one time-out, not eight");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_slow_upstream_is_given_up_in_time(pool: PgPool) {
    let makini = makini(3).await;
    let mut bench = Bench::new(pool, makini.url()).await;
    bench.timeouts.total = Duration::from_millis(300);
    let upstream = bench.upstream();
    upstream.list(None).await.unwrap();
    fault(&makini, "latency_ms", 5_000.0, "all").await;
    let begin = Instant::now();
    assert_eq!(upstream.list(None).await.unwrap_err().class, ErrorClass::Unreachable);
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_closer_look_tells_what_is_wrong(pool: PgPool) {
    let makini = makini(20).await;
    let bench = Bench::new(pool, makini.url()).await;
    let upstream = bench.upstream();
    let listed = upstream.list(None).await.unwrap().value.seen;
    let well: Vec<_> = listed.iter().filter(|seen| seen.status == Some(UpstreamStatus::Active)).collect();
    let [first, second, third, ..] = well.as_slice() else { panic!("too few are well") };

    let look = upstream.one(&first.key).await.unwrap();
    assert!(look.sent_at <= look.received_at && look.request_id.is_some());
    assert_eq!((look.value.gone, &look.value.error, look.value.reauthorization_required), (false, &None, Some(false)));
    let sync = look.value.sync.unwrap();
    assert!(matches!(sync.status, SyncStatus::Completed | SyncStatus::InProgress), "{sync:?}");
    assert!(sync.last_good_sync_at.is_some() && sync.errors.is_empty());

    act(&makini, &first.key, "change_credentials").await;
    let look = upstream.one(&first.key).await.unwrap().value;
    assert_eq!(look.reauthorization_required, Some(true));
    assert_eq!(look.error.unwrap().code.as_deref(), Some("REAUTHORIZATION_REQUIRED"));
    assert_eq!(look.sync.unwrap().status, SyncStatus::Failed);

    act(&makini, &second.key, "go_offline").await;
    let look = upstream.one(&second.key).await.unwrap().value;
    assert_eq!((look.status, look.raw_status.as_deref()), (Some(UpstreamStatus::Offline), Some("offline")));

    act(&makini, &third.key, "delete").await;
    for key in [&third.key, "no such key/../status?x=#"] {
        let look = upstream.one(key).await.unwrap().value;
        assert!(look.gone && look.status.is_none() && look.sync.is_none(), "{key}");
    }
}

/// What a scripted server does with a request.
pub enum Reaction {
    Answer(Vec<u8>),
    Silence,
    Flood(&'static [u8]),
    Trickle,
}

/// A server that reads requests, notes them, and reacts.
pub async fn scripted(react: impl Fn(&str) -> Reaction + Send + Sync + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let (asked, react) = (Arc::new(Mutex::new(Vec::new())), Arc::new(react));
    let noted = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = server.accept().await {
            let (react, noted) = (react.clone(), noted.clone());
            tokio::spawn(async move {
                let _gone = serve(stream, &*react, &noted).await;
            });
        }
    });
    (url, asked)
}

async fn serve(
    mut stream: TcpStream,
    react: &(impl Fn(&str) -> Reaction + Send + Sync),
    noted: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (mut read, mut chunk) = (Vec::new(), [0; 8_192]);
    let request = loop {
        let n = stream.read(&mut chunk).await?;
        read.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break text;
        }
    };
    noted.lock().unwrap().push(request.lines().next().unwrap_or_default().to_owned());
    match react(&request) {
        Reaction::Answer(bytes) => stream.write_all(&bytes).await,
        Reaction::Silence => std::future::pending().await,
        Reaction::Flood(head) => {
            stream.write_all(head).await?;
            loop {
                stream.write_all(&[b'x'; 65_536]).await?;
            }
        }
        Reaction::Trickle => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

pub fn answer(status: &str, headers: &str, body: &str) -> Reaction {
    let length = body.len();
    Reaction::Answer(
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
            .into_bytes(),
    )
}

pub fn token() -> Reaction {
    answer(
        "200 OK",
        "",
        r#"{"access_token":"mkat_swordfish","refresh_token":"mkrt_swordfish","expires_in":"4102444800"}"#,
    )
}

const EMPTY_PAGE: &str = r#"{"data":[],"next_cursor":null}"#;

#[sqlx::test(migrations = "../../migrations")]
async fn hostile_answers_are_errors_and_never_hang(pool: PgPool) {
    type Make = fn() -> Reaction;
    let cases: [(&str, Make, ErrorClass); 13] = [
        ("bytes", || Reaction::Answer(vec![0xff; 4_096]), ErrorClass::Unreachable),
        ("nothing", || Reaction::Answer(Vec::new()), ErrorClass::Unreachable),
        ("a page for people", || answer("200 OK", "", "<html>We are back soon</html>"), ErrorClass::Garbage),
        ("cut JSON", || answer("200 OK", "", r#"{"data":[{"id""#), ErrorClass::Garbage),
        ("another shape", || answer("200 OK", "", r#"{"data":"none"}"#), ErrorClass::Garbage),
        ("a redirect", || answer("302 Found", "location: http://169.254.169.254/\r\n", ""), ErrorClass::Garbage),
        ("an announced flood", || answer("200 OK\r\ncontent-length: 99999999", "", ""), ErrorClass::Unreachable),
        ("17 MiB", || Reaction::Flood(b"HTTP/1.1 200 OK\r\ncontent-length: 17825792\r\n\r\n"), ErrorClass::TooLarge),
        ("an endless answer", || Reaction::Flood(b"HTTP/1.1 200 OK\r\n\r\n"), ErrorClass::TooLarge),
        ("an endless error", || Reaction::Flood(b"HTTP/1.1 500 Oops\r\n\r\n"), ErrorClass::Upstream),
        ("endless headers", || Reaction::Flood(b"HTTP/1.1 200 OK\r\nx: "), ErrorClass::Unreachable),
        ("silence", || Reaction::Silence, ErrorClass::Unreachable),
        ("a trickle", || Reaction::Trickle, ErrorClass::Unreachable),
    ];
    for (name, make, class) in cases {
        let (url, _) =
            scripted(move |request| if request.starts_with("POST /link/token") { token() } else { make() }).await;
        let mut bench = Bench::new(pool.clone(), url).await;
        bench.timeouts.total = Duration::from_secs(2);
        let begin = Instant::now();
        let error = bench.upstream().list(None).await.unwrap_err();
        assert_eq!(error.class, class, "{name}: {error}");
        assert!(begin.elapsed() < Duration::from_secs(8), "{name}");
        assert!(!format!("{error:?}").contains("swordfish") && error.message.len() < 700, "{name}: {error}");
    }
    for (name, make, _) in cases {
        let (url, _) = scripted(move |_| make()).await;
        let mut bench = Bench::new(pool.clone(), url).await;
        bench.timeouts.total = Duration::from_secs(1);
        assert!(bench.upstream().list(None).await.is_err(), "{name} for a token");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_upstream_that_repeats_what_we_sent_does_not_make_us_repeat_it(pool: PgPool) {
    let (url, _) = scripted(|request| {
        let said = json!({ "error": { "code": "NO", "message": format!("I got {request}") } });
        let status = if request.starts_with("POST") { return token() } else { "500 No" };
        answer(status, "x-request-id: req_7\r\n", &said.to_string())
    })
    .await;
    let bench = Bench::new(pool.clone(), url).await;
    let error = bench.upstream().list(None).await.unwrap_err();
    assert!(error.message.contains("Bearer ***"), "{error}");
    assert!(!format!("{error:?}").contains("swordfish"));
    assert_eq!(error.request_id.as_deref(), Some("req_7"));

    let (url, _) = scripted(|request| answer("401 No", "", &json!({ "message": request }).to_string())).await;
    let error = Bench::new(pool, url).await.upstream().list(None).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Credentials);
    assert!(!format!("{error:?}").contains(SECRET), "{error}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_short_retry_after_is_waited_out_in_both_forms(pool: PgPool) {
    for form in
        ["retry-after: 1\r\n", "date: Sun, 06 Nov 1994 08:49:36 GMT\r\nretry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n"]
    {
        let first = Mutex::new(true);
        let (url, asked) = scripted(move |request| {
            if request.starts_with("POST") {
                token()
            } else if std::mem::take(&mut *first.lock().unwrap()) {
                answer("429 Slow", form, "")
            } else {
                answer("200 OK", "", EMPTY_PAGE)
            }
        })
        .await;
        let bench = Bench::new(pool.clone(), url).await;
        let upstream = bench.upstream();
        let error = upstream.list(None).await.unwrap_err();
        assert_eq!((error.class, error.retry_after), (ErrorClass::RateLimited, Some(Duration::from_secs(1))), "{form}");
        assert!(upstream.budget().paused_until.is_some());
        let begin = Instant::now();
        let (listed, ()) = tokio::join!(upstream.list(None), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            bench.clock.advance(TimeDelta::seconds(2));
        });
        assert!(listed.is_ok() && begin.elapsed() >= Duration::from_secs(1), "{listed:?}");
        assert_eq!(asked.lock().unwrap().len(), 3);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn unreachable_systems_of_customers_do_not_open_the_circuit(pool: PgPool) {
    let (url, asked) = scripted(|request| {
        let line = request.lines().next().unwrap_or_default();
        match line {
            _ if line.starts_with("POST") => token(),
            _ if line.contains("sync-status") => {
                answer("503 No", "", r#"{"error":{"code":"SYSTEM_UNREACHABLE","message":"x"}}"#)
            }
            _ if line.contains("/locked/") => {
                answer("401 No", "", r#"{"error":{"code":"REAUTHORIZATION_REQUIRED","message":"sign in again"}}"#)
            }
            _ if line.contains("/status") => {
                answer("503 No", "", r#"{"error":{"code":"SYSTEM_UNREACHABLE","message":"SAP does not answer"}}"#)
            }
            _ => answer("200 OK", "", EMPTY_PAGE),
        }
    })
    .await;
    let upstream = Bench::new(pool, url).await.upstream();
    for _ in 0..5 {
        let look = upstream.one("k").await.unwrap().value;
        assert_eq!((look.status, look.raw_status, look.sync), (Some(UpstreamStatus::Offline), None, None));
        assert_eq!(look.error.unwrap().message, "SAP does not answer");
    }
    let look = upstream.one("locked").await.unwrap().value;
    assert_eq!(look.reauthorization_required, Some(true));
    assert_eq!(upstream.budget().circuit, CircuitState::Closed);
    assert!(upstream.list(None).await.is_ok());
    let tokens = asked.lock().unwrap().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(tokens, 1, "a connection that must authorize again is no reason to sign in again");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_missing_page_is_not_a_missing_connection(pool: PgPool) {
    let (url, _) = scripted(|request| match request {
        _ if request.starts_with("POST") => token(),
        _ => answer("404 Not Found", "", "<html>nginx</html>"),
    })
    .await;
    let error = Bench::new(pool, url).await.upstream().one("k").await.unwrap_err();
    assert_eq!(error.class, ErrorClass::NotFound);
}

/// Upstream opens single connections only to their own tokens.
async fn strict() -> (String, Arc<Mutex<Vec<String>>>) {
    scripted(|request| {
        let line = request.lines().next().unwrap_or_default();
        let own = request.contains("Bearer mkct_own");
        match line {
            _ if line.starts_with("POST /link/token") => token(),
            _ if line.starts_with("POST /api/system/connections/k/token") => {
                answer("200 OK", "", r#"{"token":"mkct_own","expires_in":300}"#)
            }
            _ if line.contains("sync-status") && own => answer("200 OK", "", r#"{"status":"completed"}"#),
            _ if line.contains("/status") && own => answer("200 OK", "", r#"{"status":"active"}"#),
            _ if line.contains("status") => {
                answer("401 No", "", r#"{"code":"AUTHENTICATION_FAILED","message":"not yours"}"#)
            }
            _ => answer("200 OK", "", EMPTY_PAGE),
        }
    })
    .await
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_that_is_not_ours_is_never_issued(pool: PgPool) {
    let (url, asked) = strict().await;
    let bench = Bench::new(pool, url).await;
    let connection = a_connection(&bench, "k").await;
    let upstream = bench.upstream();
    for _ in 0..3 {
        let error = upstream.one("k").await.unwrap_err();
        assert_eq!((error.class, error.status), (ErrorClass::Forbidden, Some(401)));
    }
    let posts: Vec<_> = asked.lock().unwrap().iter().filter(|line| line.starts_with("POST")).cloned().collect();
    assert_eq!(posts.len(), 2, "signed in once more, in vain, and then no more: {posts:?}");
    assert!(posts.iter().all(|line| line.starts_with("POST /link/token")));

    let mut conn = bench.pool.acquire().await.unwrap();
    bench.vault.put(&mut conn, connection, SecretKind::ConnectionToken, &"mkct_own".into(), None).await.unwrap();
    let look = upstream.one("k").await.unwrap().value;
    assert_eq!((look.status, look.sync.unwrap().status), (Some(UpstreamStatus::Active), SyncStatus::Completed));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_that_is_ours_is_issued_when_needed_and_kept(pool: PgPool) {
    let (url, asked) = strict().await;
    let mut bench = Bench::new(pool, url).await;
    bench.config.token_ownership = TokenOwnership::Linewatch;
    let connection = a_connection(&bench, "k").await;
    let upstream = bench.upstream();
    for _ in 0..3 {
        let look = upstream.one("k").await.unwrap().value;
        assert_eq!(look.status, Some(UpstreamStatus::Active));
    }
    let issued = asked.lock().unwrap().iter().filter(|line| line.contains("/api/system/")).count();
    assert_eq!(issued, 1);
    let mut conn = bench.pool.acquire().await.unwrap();
    let kept = bench.vault.newest(&mut conn, connection, SecretKind::ConnectionToken).await.unwrap().unwrap();
    assert_eq!(kept.secret.expose(), "mkct_own");
    assert!(kept.expires_at.is_some_and(|until| until <= bench.clock.now() + TimeDelta::seconds(300)));
}

/// A connection as the store has it: only its id and key matter here.
async fn a_connection(bench: &Bench, key: &str) -> uuid::Uuid {
    let (id, customer, now) = (new_id(), new_id(), bench.clock.now());
    let mut conn = bench.pool.acquire().await.unwrap();
    sqlx::query(
        "insert into source (id, name, environment, dialect, base_url, client_id, token_ownership, customer_key,
             poll_interval_seconds, rate_per_minute, late_factor, late_grace_seconds, proof_allowance_seconds, mappings,
             created_at, updated_at, due_at)
         values ($1, 'bench', 'sandbox', 'faq_v1', 'x', 'x', 'external', 'x', 60, 600, 2, 300, 900, '{}', $2, $2, $2)",
    )
    .bind(bench.config.source.0)
    .bind(now)
    .execute(&mut *conn)
    .await
    .unwrap();
    sqlx::query("insert into customer (id, key, name, created_at) values ($1, 'x', 'x', $2)")
        .bind(customer)
        .bind(now)
        .execute(&mut *conn)
        .await
        .unwrap();
    sqlx::query("insert into platform (slug, name) values ('x', 'x')").execute(&mut *conn).await.unwrap();
    sqlx::query(
        "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at,
             authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search,
             first_seen_at, updated_at)
         values ($1, $2, $3, 'x', $4, 'x', 'x', $5, 'x', 'x', $5, 'x', 'x', 'x', 'x', 0, $5, '', $5, $5)",
    )
    .bind(id)
    .bind(bench.config.source.0)
    .bind(key)
    .bind(customer)
    .bind(now)
    .execute(&mut *conn)
    .await
    .unwrap();
    id
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_work_is_refused_at_once(pool: PgPool) {
    let bench = Bench::new(pool, "http://127.0.0.1:9".into()).await;
    let make = |outbound: &Outbound, base_url: &str| {
        let config = UpstreamConfig { base_url: base_url.to_owned(), ..bench.config.clone() };
        Upstream::new(outbound, bench.pool.clone(), bench.vault.clone(), bench.clock.clone(), config)
            .map_err(|error| error.class)
            .err()
    };
    let nowhere = Outbound::new(Vec::new());
    for base_url in
        ["http://127.0.0.1:9", "https://169.254.169.254", "https://a:b@c.de", "ftp://c.de", "c.de", "https://c.de/?x"]
    {
        assert_eq!(make(&nowhere, base_url), Some(ErrorClass::AddressRefused), "{base_url}");
    }
    assert_eq!(make(&nowhere, "https://api.makini.io/"), None);
    let error = bench.upstream().list(None).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unreachable, "nobody listens: {error}");
}
