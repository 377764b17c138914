//! The webhook door, with a real Postgres behind it.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{TestClock, new_id},
    housekeeping,
    live::{self, Live},
    store::{self, rejection},
    vault::{MasterKey, SecretKind, Vault},
    webhook::{Accepted, Door, DoorLimits, Refused, process::Processor},
};
use hmac::{Hmac, Mac};
use model::{Change, ChangeTopic, RejectionReason, SecretId, SourceId};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::json;
use sha2::Sha256;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

pub const SECRET: &str = "whsec_linewatch_test";

/// A door with one source, `demo`, and the clock in our hands.
pub struct Doorway {
    pub pool: PgPool,
    pub door: Door,
    pub clock: Arc<TestClock>,
    pub live: Live,
    pub vault: Vault,
    pub wake: Arc<Notify>,
    pub source: SourceId,
    pub secret: SecretId,
    _cancel: DropGuard,
}

pub fn noon() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub async fn add_source(pool: &PgPool, name: &str) -> SourceId {
    let id = SourceId(new_id());
    let new = json!({"name": name, "base_url": "http://127.0.0.1:1", "client_id": "c", "client_secret": "s"});
    let mut conn = pool.acquire().await.unwrap();
    store::source::create(&mut conn, id, &serde_json::from_value(new).unwrap(), noon()).await.unwrap();
    id
}

impl Doorway {
    pub async fn open(pool: &PgPool) -> Self {
        Self::with(pool, DoorLimits::default()).await
    }

    pub async fn with(pool: &PgPool, limits: DoorLimits) -> Self {
        let clock = TestClock::at(noon());
        let vault = Vault::new(MasterKey::generate(), clock.clone());
        let mut conn = pool.acquire().await.unwrap();
        housekeeping::ensure_partitions(&mut conn, noon()).await.unwrap();
        let source = add_source(pool, "demo").await;
        let secret = vault.put(&mut conn, source.0, SecretKind::WebhookSecret, &SECRET.into(), None).await.unwrap();
        let cancel = CancellationToken::new();
        let live = Live::start(pool, cancel.clone());
        live.ready().await;
        let wake = Arc::new(Notify::new());
        let door = Door::new(pool.clone(), vault.clone(), clock.clone(), &live, Arc::clone(&wake), limits);
        Self { pool: pool.clone(), door, clock, live, vault, wake, source, secret, _cancel: cancel.drop_guard() }
    }

    pub async fn post(&self, body: impl Into<Bytes>) -> Result<Accepted, Refused> {
        let body = body.into();
        self.door.accept("demo", &signed(SECRET, &body), body).await
    }

    /// Posts all at once.
    pub async fn post_all(&self, bodies: impl IntoIterator<Item = String>) -> Vec<Result<Accepted, Refused>> {
        let mut all = JoinSet::new();
        for body in bodies {
            let door = self.door.clone();
            all.spawn(async move { door.accept("demo", &signed(SECRET, body.as_bytes()), body.into()).await });
        }
        all.join_all().await
    }

    pub async fn announce(&self, topic: ChangeTopic) {
        let mut conn = self.pool.acquire().await.unwrap();
        live::announce(&mut conn, &[Change::many(topic)]).await.unwrap();
    }

    pub async fn events(&self) -> i64 {
        sqlx::query_scalar("select count(*) from event").fetch_one(&self.pool).await.unwrap()
    }

    /// What was counted, once all is written.
    pub async fn counted(&self) -> Vec<(String, String, i64)> {
        self.door.shutdown().await;
        sqlx::query_as("select source_name, outcome, n from door_count order by source_name, outcome")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}

pub fn signed(secret: &str, body: &[u8]) -> HeaderMap {
    let signature =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body).finalize().into_bytes();
    let name = HeaderName::from_static("x-webhook-signature");
    HeaderMap::from_iter([(name, format!("sha256={}", hex::encode(signature)).parse().unwrap())])
}

pub fn event(id: &str) -> String {
    json!({"id": id, "event": "sync.completed", "timestamp": "2026-11-22T11:59:58Z", "connection_id": "c1"}).to_string()
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_refusal_has_its_status_says_why_and_is_recorded(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    add_source(&pool, "silent").await;
    let body = Bytes::from(event("evt_1"));

    let first = world.post(body.clone()).await.unwrap();
    assert!(!first.duplicate);
    assert_eq!(world.post(body.clone()).await.unwrap(), Accepted { id: first.id, duplicate: true });

    let large = Bytes::from(vec![b' '; world.door.body_limit() + 1]);
    let door = &world.door;
    for (refused, status, reason, word) in [
        (
            door.accept("demo", &HeaderMap::new(), body.clone()).await.unwrap_err(),
            401,
            RejectionReason::SignatureMissing,
            "X-Webhook-Signature",
        ),
        (
            door.accept("demo", &signed("guess", &body), body.clone()).await.unwrap_err(),
            401,
            RejectionReason::SignatureWrong,
            "live secret",
        ),
        (
            door.accept("silent", &signed("guess", &body), body.clone()).await.unwrap_err(),
            401,
            RejectionReason::NoSecret,
            "silent",
        ),
        (
            door.accept("nobody", &signed(SECRET, &body), body.clone()).await.unwrap_err(),
            404,
            RejectionReason::NoSuchSource,
            "nobody",
        ),
        (world.post("{\"id\":").await.unwrap_err(), 400, RejectionReason::NotJson, "line 1"),
        (world.post(large.clone()).await.unwrap_err(), 413, RejectionReason::TooLarge, "1048576"),
        (door.too_large("demo", &HeaderMap::new()).await, 413, RejectionReason::TooLarge, "1048576"),
        (door.too_large("nobody", &HeaderMap::new()).await, 404, RejectionReason::NoSuchSource, "nobody"),
    ] {
        assert_eq!((refused.status(), refused.reason), (status, reason));
        assert!(refused.detail.contains(word) && refused.detail.ends_with('.'), "{}", refused.detail);
    }
    let counted: Vec<_> = world.counted().await;
    let counted: Vec<_> = counted.iter().map(|(name, reason, n)| (name.as_str(), reason.as_str(), *n)).collect();
    assert_eq!(
        counted,
        [
            ("?", "no_such_source", 2),
            ("demo", "not_json", 1),
            ("demo", "signature_missing", 1),
            ("demo", "signature_wrong", 1),
            ("demo", "taken", 1),
            ("demo", "too_large", 2),
            ("silent", "no_secret", 1),
        ]
    );
    let longest: i32 = sqlx::query_scalar("select max(length(excerpt)) from rejection").fetch_one(&pool).await.unwrap();
    assert_eq!(longest, 1_024);
    let mut conn = pool.acquire().await.unwrap();
    let traffic = store::rejection::traffic(&mut conn, "demo", noon() - TimeDelta::hours(24)).await.unwrap();
    assert_eq!((traffic.events, traffic.last_event_at), (1, Some(noon())));
    assert_eq!(traffic.rejections[&RejectionReason::TooLarge], 2);
    let traffic = store::rejection::traffic(&mut conn, "silent", noon() - TimeDelta::hours(24)).await.unwrap();
    assert_eq!((traffic.events, traffic.last_rejection_at), (0, Some(noon())));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_hundred_at_once_with_one_id_are_one_event(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let answers = world.post_all((0..100).map(|_| event("evt_1"))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.duplicate).count(), 1);
    assert!(answers.iter().all(|answer| answer.id == answers[0].id));
    assert_eq!(world.events().await, 1);
    let duplicates: i32 = sqlx::query_scalar("select duplicates from event_key").fetch_one(&pool).await.unwrap();
    assert_eq!(duplicates, 99);
    tokio::time::timeout(Duration::from_secs(1), world.wake.notified()).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_processes_agree_on_what_came_first(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let other = Door::new(
        pool.clone(),
        world.vault.clone(),
        world.clock.clone(),
        &world.live,
        Arc::new(Notify::new()),
        DoorLimits::default(),
    );
    let mut all = JoinSet::new();
    for n in 0..300 {
        for (door, n) in [(world.door.clone(), n), (other.clone(), 299 - n)] {
            let body = event(&format!("evt_{n}"));
            all.spawn(async move { door.accept("demo", &signed(SECRET, body.as_bytes()), body.into()).await.unwrap() });
        }
    }
    let answers = all.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.duplicate).count(), 300);
    assert_eq!(world.events().await, 300);
    other.shutdown().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_known_id_with_other_bytes_is_a_duplicate_and_a_rejection(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let first = world.post(event("evt_1")).await.unwrap();
    let again = world.post(r#"{"id":"evt_1","event":"sync.failed"}"#).await.unwrap();
    assert_eq!(again, Accepted { id: first.id, duplicate: true });
    // the same within one batch
    let both = world.post_all([r#"{"id":"evt_2","n":1}"#.to_owned(), r#"{"id":"evt_2","n":2}"#.to_owned()]).await;
    assert_eq!(both.iter().flatten().filter(|answer| answer.duplicate).count(), 1);
    assert_eq!(world.events().await, 2);
    let counted = world.counted().await;
    assert!(counted.contains(&("demo".into(), "id_reused".into(), 2)), "{counted:?}");
    let (detail, headers): (String, serde_json::Value) =
        sqlx::query_as("select detail, headers from rejection where detail like '%evt_1%'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(detail.contains(&first.id.to_string()));
    assert_eq!(headers[0][0], "x-webhook-signature");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_has_no_id_goes_by_its_bytes_and_without_a_time_by_nothing(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let timed = r#"{"event":"assets.updated","timestamp":1795348740,"body":["a"]}"#;
    assert!(!world.post(timed).await.unwrap().duplicate);
    assert!(world.post(timed).await.unwrap().duplicate);

    let bare = r#"{"event":"assets.updated","body":["a"]}"#;
    for _ in 0..2 {
        assert!(!world.post(bare).await.unwrap().duplicate);
    }
    let both = world.post_all([bare.to_owned(), bare.to_owned()]).await;
    assert!(both.iter().all(|answer| matches!(answer, Ok(Accepted { duplicate: false, .. }))));
    let keyless: i64 =
        sqlx::query_scalar("select count(*) from event where key_hash is null").fetch_one(&pool).await.unwrap();
    assert_eq!((world.events().await, keyless), (5, 4));
}

#[sqlx::test(migrations = "../../migrations")]
async fn zeros_in_the_body_harm_nobody(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let zeros = r#"{"id":"evt_\u0000","event":"sync.\u0000","data":{"message":"\u0000"}}"#;
    let answers = world.post_all([event("evt_1"), zeros.to_owned(), event("evt_2")]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(world.post(zeros).await.unwrap().duplicate);
    let body: Vec<u8> = sqlx::query_scalar("select body from event where webhook_id = $1")
        .bind("evt_\u{fffd}")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(body, zeros.as_bytes());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_bad_row_refuses_only_itself(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    sqlx::query("alter table event add check (webhook_id <> 'poison')").execute(&pool).await.unwrap();
    let answers = world.post_all((0..40).map(|n| event(&format!("evt_{n}"))).chain([event("poison")])).await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0].status(), world.events().await), (503, 40));
    // it left no key behind that would make it a repeat
    assert!(world.post(event("poison")).await.is_err());
}

#[sqlx::test(migrations = "../../migrations")]
async fn secrets_may_overlap_and_a_retired_one_ends_at_once(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let body = Bytes::from(event("evt_1"));
    let post = async |secret| world.door.accept("demo", &signed(secret, &body), body.clone()).await;
    assert!(post("whsec_the_next_one").await.is_err());

    let mut conn = pool.acquire().await.unwrap();
    let (owner, kind) = (world.source.0, SecretKind::WebhookSecret);
    world.vault.put(&mut conn, owner, kind, &"whsec_the_next_one".into(), None).await.unwrap();
    world.announce(ChangeTopic::System).await;
    until(async || post("whsec_the_next_one").await.is_ok()).await;
    assert!(post(SECRET).await.is_ok());
    // its use is noted, beside the request
    until(async || {
        let used = "select count(*) from vault_secret where last_used_at is not null";
        sqlx::query_scalar::<_, i64>(used).fetch_one(&pool).await.unwrap() == 2
    })
    .await;

    world.vault.retire(&mut conn, owner, world.secret).await.unwrap();
    world.announce(ChangeTopic::System).await;
    until(async || post(SECRET).await.is_err()).await;
    assert!(post("whsec_the_next_one").await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_flood_of_rubbish_costs_a_number_and_a_few_samples(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    for n in 0..3_000 {
        let body = Bytes::from_static(b"{}");
        let name = if n % 2 == 0 { "demo".to_owned() } else { format!("guess-{n}-{}", "x".repeat(5_000)) };
        world.door.accept(&name, &signed("guess", &body), body).await.unwrap_err();
    }
    let counted = world.counted().await;
    let wanted = [("?", "no_such_source", 1_500), ("demo", "signature_wrong", 1_500)];
    assert_eq!(counted, wanted.map(|(name, reason, n)| (name.to_owned(), reason.to_owned(), n)));
    let (samples, longest): (i64, i32) =
        sqlx::query_as("select count(*), max(length(detail)) from rejection").fetch_one(&pool).await.unwrap();
    assert!((1..=200).contains(&samples) && longest < 200, "{samples} samples, {longest} characters");

    let sample = |n: i64| rejection::Sample {
        id: new_id(),
        source_name: "ring".to_owned(),
        received_at: noon() + TimeDelta::seconds(n),
        reason: RejectionReason::NotJson,
        detail: String::new(),
        headers: "[]".to_owned(),
        excerpt: Vec::new(),
    };
    let mut conn = pool.acquire().await.unwrap();
    for part in 0..3 {
        let samples: Vec<_> = (part * 500..part * 500 + 500).map(sample).collect();
        rejection::insert_samples(&mut conn, &samples).await.unwrap();
    }
    let (kept, oldest): (i64, DateTime<Utc>) =
        sqlx::query_as("select count(*), min(received_at) from rejection where source_name = 'ring'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!((kept, oldest), (1_000, noon() + TimeDelta::seconds(500)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn callers_of_the_moment_share_a_transaction(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let mut changes = world.live.subscribe();
    let answers = world.post_all((0..64).map(|n| event(&format!("evt_{n}")))).await;
    assert!(answers.iter().all(Result::is_ok));
    let transactions: i64 =
        sqlx::query_scalar("select count(distinct xmin::text) from event").fetch_one(&pool).await.unwrap();
    assert!(transactions <= 16, "64 events took {transactions} transactions");
    let change = tokio::time::timeout(Duration::from_secs(2), changes.recv()).await.unwrap().unwrap();
    assert_eq!(change.change.topic, ChangeTopic::Event);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_older_than_the_keys_is_kept_but_moves_nothing(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    world.post(r#"{"id":"old","timestamp":"2026-10-18T11:59:59Z"}"#).await.unwrap();
    world.post(r#"{"id":"new","timestamp":"2026-10-18T12:00:00Z"}"#).await.unwrap();
    Processor::new(pool.clone(), world.clock.clone(), Arc::default()).step().await.unwrap();
    let sql = "select webhook_id, state, due_at is not null from event join event_end using (received_at, id)
               left join event_due on event_id = id order by 1";
    let rows: Vec<(String, String, bool)> = sqlx::query_as(sql).fetch_all(&pool).await.unwrap();
    let wanted = [("new", "unrecognised", false), ("old", "superseded", false)];
    assert_eq!(rows, wanted.map(|(id, state, due)| (id.to_owned(), state.to_owned(), due)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_made_durable_is_refused_with_a_time_to_come_again(pool: PgPool) {
    let world = Doorway::with(&pool, DoorLimits { bytes_in_flight: 2_000, ..DoorLimits::default() }).await;
    let large = format!(r#"{{"id":"evt_1","data":"{}"}}"#, "x".repeat(2_000));
    let refused = world.post(large).await.unwrap_err();
    assert_eq!((refused.status(), refused.reason), (503, RejectionReason::NotStored));
    assert!((1..=5).contains(&refused.retry_after.unwrap().as_secs()));
    // what was refused weighs nothing any more
    assert!(world.post(event("evt_2")).await.is_ok());

    // a day for which nobody made a partition
    world.clock.advance(TimeDelta::days(30));
    assert_eq!(
        world.post(event("evt_3")).await.unwrap_err().detail,
        "The database is not available. Send it again in a moment."
    );
    world.clock.set(noon());

    pool.close().await;
    let refused = world.post(event("evt_4")).await.unwrap_err();
    assert_eq!((refused.status(), refused.retry_after.is_some()), (503, true));
}

#[sqlx::test(migrations = "../../migrations")]
async fn closing_the_door_loses_nothing_that_was_taken(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    world.post(event("warm")).await.unwrap();
    let door = world.door.clone();
    let (answers, ()) = tokio::join!(world.post_all((0..500).map(|n| event(&format!("evt_{n}")))), async {
        tokio::task::yield_now().await;
        door.shutdown().await;
    });
    let taken = answers.iter().filter(|answer| answer.is_ok()).count() as i64;
    assert_eq!(world.events().await, taken + 1);
    assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|refused| refused.status() == 503));
    assert_eq!(world.post(event("late")).await.unwrap_err().status(), 503);
}

/// Waits until it is so.
pub async fn until(mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..250 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never became so");
}
