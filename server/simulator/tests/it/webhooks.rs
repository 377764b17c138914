//! Webhooks on their way: signature, retries, the failed log, by hand.

use crate::support::{Bench, calm, eventually};
use base64::Engine as _;
use hmac::Mac as _;
use reqwest::Method;
use serde_json::json;
use simulator::{DeliveryStatus, Options};
use std::time::Duration;

#[tokio::test]
async fn a_webhook_is_compact_and_signed_over_its_bytes() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    bench.act(&key, "finish_sync").await;
    let got = bench.inbox.wait_for(&key, "sync.completed").await;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"whsec_linewatch_demo").expect("a key");
    mac.update(&got.bytes);
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(got.signature, expected);
    assert_eq!(got.headers["content-type"], "application/json");
    assert_eq!(got.headers["user-agent"], "Makini-Webhooks/1");
    let text = std::str::from_utf8(&got.bytes).expect("text");
    assert!(text.starts_with(r#"{"id":"evt_"#) && !text.contains(": ") && !text.contains('\n'), "{text}");
    let stamp = got.body["timestamp"].as_str().expect("text");
    assert!(stamp.len() == 24 && stamp.ends_with('Z'));
}

#[tokio::test]
async fn retries_double_and_end_and_go_on_by_hand_with_the_same_id() {
    // A day in 2.88 s: waits of 1, 2, 4 … 1024 ms.
    let bench = Bench::start(Options { time_scale: 30_000.0, connections: 1, ..calm() }).await;
    let key = bench.key(0);
    bench.act(&key, "stall_sync").await;
    bench.inbox.answer(503);
    bench.act(&key, "fail_sync").await;
    bench.inbox.wait_for(&key, "sync.failed").await;
    let failed = eventually("the end of the schedule", || {
        let found = bench.makini.deliveries().into_iter().find(|one| one.event == "sync.failed");
        found.filter(|one| one.status == DeliveryStatus::Failed)
    })
    .await;
    // Eleven retries fit in by the schedule; the time the attempts themselves take may cost one.
    assert!((10..=12).contains(&failed.attempts.len()), "{} attempts", failed.attempts.len());
    assert!(failed.attempts.iter().all(|attempt| attempt.status == Some(503) && attempt.error.is_some()));
    let gaps: Vec<_> = failed.attempts.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    for (nth, gap) in gaps.iter().enumerate() {
        let planned = 2_i64.pow(u32::try_from(nth).expect("few"));
        assert!(gap.num_milliseconds() >= planned, "wait {nth} was {gap}, planned {planned} ms");
    }

    let log = bench.get("/api/system/webhooks/deliveries?status=failed").await;
    assert_eq!(log["total"], 1);
    assert_eq!(log["data"][0]["id"], *failed.id);
    bench.inbox.answer(200);
    let path = format!("/api/system/webhooks/deliveries/{}/retry", failed.id);
    assert_eq!(bench.ask(Method::POST, &path).send().await.expect("an answer").status(), 202);
    eventually("the delivery", || {
        let found = bench.makini.deliveries().into_iter().find(|one| one.id == failed.id);
        found.filter(|one| one.status == DeliveryStatus::Delivered)
    })
    .await;
    let got = bench.inbox.about(&key);
    let last = got.last().expect("the last one");
    assert_eq!(last.body["id"], *failed.id);
    assert_eq!(last.signature, got[0].signature);
    assert_eq!(bench.ask(Method::POST, &path).send().await.expect("an answer").status(), 409);
    assert_eq!(bench.get("/api/system/webhooks/deliveries?status=failed").await["total"], 0);
}

#[tokio::test]
async fn a_failed_retry_by_hand_is_failed_again() {
    let bench = Bench::start(Options { time_scale: 1e7, connections: 1, ..calm() }).await;
    let key = bench.key(0);
    bench.act(&key, "stall_sync").await;
    bench.inbox.answer(500);
    bench.act(&key, "change_credentials").await;
    let failed = || bench.makini.deliveries().into_iter().find(|one| one.status == DeliveryStatus::Failed);
    let first = eventually("a failed delivery", failed).await;
    let path = format!("/_sim/deliveries/{}/retry", first.id);
    assert_eq!(bench.control(Method::POST, &path, json!({})).await.status(), 204);
    eventually("another attempt", || failed().filter(|one| one.attempts.len() > first.attempts.len())).await;
    assert_eq!(bench.control(Method::POST, "/_sim/deliveries/evt_0/retry", json!({})).await.status(), 404);
}

#[tokio::test]
async fn the_door_shows_deliveries_and_takes_a_new_receiver() {
    let bench = Bench::start(calm()).await;
    let (key, other) = (bench.key(0), bench.key(1));
    bench.act(&key, "finish_sync").await;
    bench.act(&other, "finish_sync").await;
    bench.inbox.wait_for(&key, "sync.completed").await;
    eventually("both", || (bench.makini.counters().webhooks_delivered >= 2).then_some(())).await;
    let shown = bench.get(&format!("/_sim/deliveries?status=delivered&connection={key}&limit=5")).await;
    let items = shown["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["attempts"][0]["status"], 200);
    let body: serde_json::Value = serde_json::from_str(items[0]["body"].as_str().expect("text")).expect("JSON");
    assert_eq!(body["id"], items[0]["id"]);

    let second = crate::support::Inbox::open().await;
    let change = json!({ "url": second.url, "secret": "whsec_other" });
    assert_eq!(bench.control(Method::PUT, "/_sim/webhook", change).await.status(), 204);
    let wrong = bench.control(Method::PUT, "/_sim/webhook", json!({ "url": "here" })).await;
    assert_eq!(wrong.status(), 422);
    bench.act(&key, "fail_sync").await;
    second.wait_for(&key, "sync.failed").await;
    assert!(bench.inbox.about(&key).iter().all(|one| one.body["event"] != "sync.failed"));
}

#[tokio::test]
async fn only_200_is_good() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    bench.inbox.answer(204);
    bench.act(&key, "finish_sync").await;
    let waiting =
        eventually("the first attempt", || bench.makini.deliveries().into_iter().find(|one| one.attempts.len() == 1))
            .await;
    assert_eq!(waiting.status, DeliveryStatus::Pending);
    let wait = waiting.next_attempt_at.expect("a next one") - waiting.attempts[0].at;
    assert!((30_000..31_000).contains(&wait.num_milliseconds()), "thirty seconds: {wait}");
    assert!(wait.to_std().expect("later") >= Duration::from_secs(30));
}
