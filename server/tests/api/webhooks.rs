//! The door for Makini.

use crate::caller::{Answer, send};
use crate::world::{WEBHOOK_SECRET, World};
use engine::vault::Vault;
use engine::webhook::{Door, DoorLimits};
use hmac::{Hmac, Mac as _};
use model::RejectionReason;
use reqwest::header::{HeaderMap, HeaderName};
use sha2::Sha256;
use sqlx::PgPool;
use std::io;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Sender;
use tokio::task::{JoinHandle, JoinSet};

pub fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

async fn deliver(world: &World, source: &str, body: impl Into<Vec<u8>>, signature: Option<&str>) -> Answer {
    let body = body.into();
    let signature = signature.map_or_else(|| sign(&body), str::to_owned);
    let request = world.anonymous().request("POST", &format!("/webhooks/{source}"));
    send(request.header("x-webhook-signature", signature).header("content-type", "application/json").body(body)).await
}

const BODY: &str = r#"{"id":"evt_1","event":"sync.completed","timestamp":"2026-01-01T00:00:00Z","connection_id":"09000207611898","data":{}}"#;

#[sqlx::test(migrations = "../migrations")]
async fn takes_what_is_signed_once(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let first = deliver(&world, "acme", BODY, None).await;
    assert_eq!((first.status, first.json()["duplicate"].as_bool()), (200, Some(false)), "{first:?}");
    let again = deliver(&world, "acme", BODY, None).await;
    assert_eq!((again.status, again.json()["duplicate"].as_bool()), (200, Some(true)), "{again:?}");
    assert_eq!(first.json()["id"], again.json()["id"]);
    let listed = world.machine().get("/api/v1/events?webhook_id=evt_1").await.json();
    assert_eq!(listed["items"][0]["id"], first.json()["id"], "{listed}");
    let path = format!("/api/v1/events/{}", first.json()["id"].as_str().unwrap());
    assert_eq!(world.machine().get(&path).await.json()["payload"], BODY);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn says_why_it_turns_away(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let unsigned = world.anonymous().body("POST", "/webhooks/acme", "application/json", BODY).await;
    unsigned.problem(401, "signature_missing");
    deliver(&world, "acme", BODY, Some(&"0".repeat(64))).await.problem(401, "signature_wrong");
    deliver(&world, "acme", "not json", None).await.problem(400, "not_json");
    deliver(&world, "acme", "", None).await.problem(400, "not_json");
    deliver(&world, "nobody", BODY, None).await.problem(404, "no_such_source");
    deliver(&world, "acme", vec![b' '; (1 << 20) + 1], None).await.problem(413, "too_large");
    deliver(&world, "acme", vec![b' '; 4 << 20], None).await.problem(413, "too_large");
    world.anonymous().body("POST", "/webhooks/%ff", "application/json", BODY).await.problem(404, "not_found");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_body_of_exactly_the_limit_is_taken(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let frame = r#"{"event":"sync.completed","timestamp":"2026-01-01T00:00:00Z","data":""}"#;
    let body = frame.replace("\"\"}", &format!("\"{}\"}}", "a".repeat((1 << 20) - frame.len())));
    assert_eq!(body.len(), 1 << 20);
    assert_eq!(deliver(&world, "acme", body, None).await.status, 200);
    world.stop().await;
}

/// As Makini's documentation quotes it: JSON.stringify, HMAC-SHA256, Base64.
#[sqlx::test(migrations = "../migrations")]
async fn takes_what_node_signs(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let script = "const data = {event: 'assets.updated', body: ['16c69269-0432-4382-b48f-eb3538b4b3d7', 'é \u{1f680}']};\
         const body = JSON.stringify(data);\
         const hash = require('crypto').createHmac('sha256', process.argv[1]).update(body).digest('base64');\
         process.stdout.write(hash + '\\n' + body);";
    let signed = Command::new("node").args(["-e", script, WEBHOOK_SECRET]).output().expect("node is installed");
    let signed = String::from_utf8(signed.stdout).unwrap();
    let (signature, body) = signed.split_once('\n').unwrap();
    assert_eq!(deliver(&world, "acme", body, Some(signature)).await.status, 200);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_under_way_is_answered_before_the_end(pool: PgPool) {
    let world = World::new(pool).await;
    world.source("acme").await;
    let (out, body) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let stream = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(body));
    let request =
        world.anonymous().request("POST", "/webhooks/acme").header("x-webhook-signature", sign(BODY.as_bytes()));
    let answer = tokio::spawn(send(request.body(stream)));
    let (first, rest) = BODY.as_bytes().split_at(20);
    out.send(Ok(first.to_vec())).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let stopping = tokio::spawn(world.stop());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    out.send(Ok(rest.to_vec())).await.unwrap();
    drop(out);
    assert_eq!(answer.await.unwrap().status, 200);
    stopping.await.unwrap();
}

/// A sender of a webhook that goes on when it is told to.
struct Stalling {
    out: Sender<Result<Vec<u8>, io::Error>>,
    answer: JoinHandle<Answer>,
}

/// Sends the beginning of a body, with this signature, and then nothing.
async fn stall(world: &World, source: &str, signature: Option<&str>, begin: Vec<u8>) -> Stalling {
    let (out, body) = tokio::sync::mpsc::channel::<Result<Vec<u8>, io::Error>>(1);
    let stream = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(body));
    let mut request = world.anonymous().request("POST", &format!("/webhooks/{source}"));
    if let Some(signature) = signature {
        request = request.header("x-webhook-signature", signature);
    }
    let answer = tokio::spawn(send(request.body(stream)));
    out.send(Ok(begin)).await.unwrap();
    Stalling { out, answer }
}

async fn soon<T>(it: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), it).await.expect("soon")
}

/// How often this was counted; once the world has stopped.
async fn counted(pool: &PgPool, outcome: &str) -> i64 {
    let sum = "select coalesce(sum(n), 0)::bigint from door_count where outcome = $1";
    sqlx::query_scalar(sum).bind(outcome).fetch_one(pool).await.unwrap()
}

/// Some bytes less than the largest body.
const LARGE: usize = 900_000;

#[sqlx::test(migrations = "../migrations")]
async fn bodies_under_way_share_one_budget(pool: PgPool) {
    let world = World::with(pool.clone(), &[("LINEWATCH_WEBHOOK_BYTES_IN_FLIGHT", "2621440")]).await;
    world.source("acme").await;
    let (forged, large) = ("0".repeat(64), vec![b' '; LARGE]);
    let mut two = Vec::new();
    for _ in 0..2 {
        two.push(stall(&world, "acme", Some(&forged), large.clone()).await);
    }

    // as soon as both have arrived there is no room for a third large one
    let full = async {
        loop {
            let third = deliver(&world, "acme", large.clone(), Some(&forged)).await;
            if third.status != 401 {
                return third;
            }
            // while they arrive the third may take the room from one of them, which is then refused in its place
            for refused in two.iter_mut().filter(|stalling| stalling.answer.is_finished()) {
                *refused = stall(&world, "acme", Some(&forged), large.clone()).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let third = soon(full).await;
    third.problem(503, "not_stored");
    assert!(third.header("retry-after").unwrap().parse::<u8>().unwrap() >= 1);
    assert_eq!(deliver(&world, "acme", BODY, None).await.status, 200, "there is room for a small one");

    for stalling in two {
        drop(stalling.out);
        stalling.answer.await.unwrap().problem(401, "signature_wrong");
    }
    deliver(&world, "acme", large, Some(&forged)).await.problem(401, "signature_wrong");
    world.stop().await;
    assert!(counted(&pool, "not_stored").await >= 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn who_cannot_be_let_in_is_told_before_the_body_is_there(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    world.source("acme").await;
    let unsigned = stall(&world, "acme", None, vec![b' '; LARGE]).await;
    soon(unsigned.answer).await.unwrap().problem(401, "signature_missing");
    let unknown = stall(&world, "nobody", Some("00"), vec![b' '; LARGE]).await;
    soon(unknown.answer).await.unwrap().problem(404, "no_such_source");
    world.stop().await;
    assert_eq!((counted(&pool, "signature_missing").await, counted(&pool, "no_such_source").await), (1, 1));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_breaks_off_or_comes_too_slowly_is_recorded(pool: PgPool) {
    let world = World::with(pool.clone(), &[("LINEWATCH_WEBHOOK_BODY_SECONDS", "1")]).await;
    world.source("acme").await;
    let slow = stall(&world, "acme", Some("00"), b"{".to_vec()).await;
    soon(slow.answer).await.unwrap().problem(408, "not_read");

    let mut broken = TcpStream::connect(world.url.strip_prefix("http://").unwrap()).await.unwrap();
    let begin =
        "POST /webhooks/acme HTTP/1.1\r\nhost: linewatch\r\nx-webhook-signature: 00\r\ncontent-length: 100\r\n\r\n{";
    broken.write_all(begin.as_bytes()).await.unwrap();
    broken.shutdown().await.unwrap();
    let mut answer = String::new();
    soon(broken.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("not_read"), "{answer}");
    world.stop().await;
    assert_eq!(counted(&pool, "not_read").await, 2);
    let sampled: i64 =
        sqlx::query_scalar("select count(*) from rejection where reason = 'not_read'").fetch_one(&pool).await.unwrap();
    assert_eq!(sampled, 2);
}

/// A key for the secrets of a test, in base64.
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[sqlx::test(migrations = "../migrations")]
async fn a_herd_is_answered_in_time_while_postgres_hangs(pool: PgPool) {
    let world = World::with(pool.clone(), &[("LINEWATCH_SECRETS_KEY", KEY)]).await;
    world.source("acme").await;
    let limits = DoorLimits {
        batch_rows: 4,
        patience: Duration::from_millis(400),
        answer_within: Duration::from_millis(600),
        ..DoorLimits::default()
    };
    let vault = Vault::new(KEY.parse().unwrap(), world.clock.clone());
    let door = Door::new(pool.clone(), vault, world.clock.clone(), &world.parts.live, Arc::default(), limits);
    let post = |n: usize| {
        let (door, body) = (door.clone(), format!(r#"{{"id":"evt_{n}","event":"sync.completed"}}"#));
        let signed = (HeaderName::from_static("x-webhook-signature"), sign(body.as_bytes()).parse().unwrap());
        async move { door.accept("acme", &HeaderMap::from_iter([signed]), body.into()).await }
    };
    let insist = async |n| {
        while post(n).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(insist(0)).await;

    let mut hang = pool.begin().await.unwrap();
    sqlx::query("lock table event_key in access exclusive mode").execute(&mut *hang).await.unwrap();
    let began = Instant::now();
    let herd: JoinSet<_> = (1..=60).map(post).collect();
    for answer in herd.join_all().await {
        let refused = answer.unwrap_err();
        assert_eq!((refused.status(), refused.reason), (503, RejectionReason::NotStored));
        assert!(refused.retry_after.is_some());
    }
    // one batch after the other they would have waited six seconds
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    hang.rollback().await.unwrap();

    // whatever was stored after its 503 is a duplicate now: in the end each is there once
    for n in 1..=60 {
        soon(insist(n)).await;
    }
    let events: i64 = sqlx::query_scalar("select count(*) from event").fetch_one(&pool).await.unwrap();
    assert_eq!(events, 61);
    door.shutdown().await;
    world.stop().await;
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines_with(&self, words: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).lines().filter(|line| line.contains(words)).count()
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flood_of_refusals_does_not_flood_the_log(pool: PgPool) {
    let (log, began) = (Log::default(), Instant::now());
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let world = World::new(pool.clone()).await;
    world.source("acme").await;
    let forged = "0".repeat(64);
    for _ in 0..20 {
        deliver(&world, "acme", BODY, Some(&forged)).await.problem(401, "signature_wrong");
    }
    assert_eq!(log.lines_with("/webhooks/acme"), 0);

    soon(pool.close()).await;
    for _ in 0..20 {
        deliver(&world, "acme", BODY, None).await.problem(503, "not_stored");
    }
    let (answers, batches) = (log.lines_with("failed with 503"), log.lines_with("could not be stored"));
    let most = 1 + began.elapsed().as_secs() as usize;
    assert!((1..=most).contains(&answers) && (1..=most).contains(&batches), "{answers} {batches} of {most}");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_fills_memory_with_the_sign_in_form(pool: PgPool) {
    let world = World::new(pool).await;
    let large = "x".repeat(20_000);
    let answer = world.anonymous().form("/login", &[("email", "a@example.com"), ("password", &large)]).await;
    answer.problem(413, "too_large");
    world.sign_in().await;
    world.stop().await;
}
