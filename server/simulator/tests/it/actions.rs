//! What can be done to a connection, and what then is seen of it.

use crate::support::{Bench, calm, eventually};
use reqwest::Method;
use serde_json::json;
use simulator::Options;
use std::time::{Duration, Instant};

#[tokio::test]
async fn changed_credentials_stop_everything_until_a_reconnect() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    bench.act(&key, "change_credentials").await;
    let event = bench.inbox.wait_for(&key, "connection.reauthorization_required").await;
    assert!(event.body["id"].as_str().expect("an id").starts_with("evt_"));
    let status = bench.get(&format!("/api/v1/connections/{key}/status")).await;
    assert_eq!((&status["status"], &status["reauthorization_required"]), (&json!("error"), &json!(true)));
    assert_eq!(status["error"]["code"], "REAUTHORIZATION_REQUIRED");
    let sync = bench.get(&format!("/api/v1/connections/{key}/sync-status")).await;
    assert_eq!(sync["status"], "failed");
    assert_eq!(sync["errors"][0]["code"], "REAUTHORIZATION_REQUIRED");
    assert!(sync["errors"][0]["message"].as_str().expect("text").contains(" answered: "));
    assert!(sync["next_scheduled_sync_at"].is_null());
    let refused = bench.ask(Method::POST, &format!("/api/v1/connections/{key}/syncs")).send().await;
    assert_eq!(refused.expect("an answer").status(), 401);

    let before = bench.makini.connection(&key).expect("there").last_successful_sync_at;
    let started = Instant::now();
    bench.act(&key, "reconnect").await;
    let state = bench.makini.connection(&key).expect("there");
    assert!(!state.reauthorization_required && state.syncing && state.touched);
    bench.inbox.wait_for(&key, "sync.completed").await;
    assert!(started.elapsed() < Duration::from_millis(2_500), "a good sync within two seconds");
    let after = bench.makini.connection(&key).expect("there");
    assert!(after.status == "active" && after.last_successful_sync_at > before);
}

#[tokio::test]
async fn a_running_sync_fails_with_the_credentials() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    let path = format!("/api/v1/connections/{key}/syncs");
    bench.ask(Method::POST, &path).body(r#"{"type":"full"}"#).send().await.expect("an answer");
    bench.act(&key, "change_credentials").await;
    let failed = bench.inbox.wait_for(&key, "sync.failed").await;
    assert_eq!(failed.body["data"]["error"]["code"], "REAUTHORIZATION_REQUIRED");
    let reauthorization = bench.inbox.wait_for(&key, "connection.reauthorization_required").await;
    assert_ne!(failed.body["timestamp"], reauthorization.body["timestamp"], "their order can be told");
}

#[tokio::test]
async fn an_offline_platform_comes_back_by_itself() {
    // A cadence of one second, and tries every two tenths while offline.
    let options = Options {
        time_scale: 900.0,
        max_cadence: Duration::from_secs(900),
        sync_backoff_max: Duration::from_millis(200),
        ..calm()
    };
    let bench = Bench::start(options).await;
    let key = bench.key(0);
    bench.act(&key, "go_offline").await;
    let event = bench.inbox.wait_for(&key, "connection.status_changed").await;
    assert_eq!((&event.body["data"]["status"], &event.body["data"]["previous"]), (&json!("offline"), &json!("online")));
    assert_eq!(bench.makini.connection(&key).expect("there").status, "offline");
    let failed = bench.inbox.wait_for(&key, "sync.failed").await;
    assert_eq!(failed.body["data"]["error"]["code"], "SYSTEM_UNREACHABLE");
    let refused = bench.ask(Method::POST, &format!("/api/v1/connections/{key}/syncs")).send().await;
    assert_eq!(refused.expect("an answer").status(), 503);

    let before = bench.makini.connection(&key).expect("there").last_successful_sync_at;
    bench.act(&key, "come_online").await;
    let back = |one: &crate::support::Received| one.body["data"]["status"] == "online";
    eventually("the platform's return", || bench.inbox.about(&key).into_iter().find(back)).await;
    eventually("a good sync", || {
        let state = bench.makini.connection(&key).expect("there");
        (state.last_successful_sync_at > before && state.status != "offline").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_failed_sync_shows_until_the_next_good_one() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(2);
    bench.act(&key, "fail_sync").await;
    let failed = bench.inbox.wait_for(&key, "sync.failed").await;
    assert_eq!(failed.body["data"]["error"]["code"], "SOURCE_ERROR");
    assert!(failed.body["data"]["entities"].as_array().is_some_and(|list| !list.is_empty()));
    let state = bench.makini.connection(&key).expect("there");
    assert!(state.status == "error" && !state.reauthorization_required && state.next_sync_at.is_some());
    let sync = bench.get(&format!("/api/v1/connections/{key}/sync-status")).await;
    assert_eq!(sync["status"], "failed");
    bench.act(&key, "finish_sync").await;
    let done = bench.inbox.wait_for(&key, "sync.completed").await;
    assert!(done.body["data"]["entities"].is_object() && done.body["data"]["records"].is_number());
    assert_eq!(bench.makini.connection(&key).expect("there").status, "active");
}

#[tokio::test]
async fn a_stalled_sync_says_nothing() {
    let options = Options { time_scale: 3_600.0, max_cadence: Duration::from_secs(900), ..calm() };
    let bench = Bench::start(options).await;
    let key = bench.key(0);
    bench.act(&key, "stall_sync").await;
    let stalled = bench.makini.connection(&key).expect("there");
    // Others go on meanwhile.
    let other = bench.key(1);
    let so_far = bench.inbox.about(&other).len();
    eventually("syncs of another", || (bench.inbox.about(&other).len() >= so_far + 4).then_some(())).await;
    let state = bench.makini.connection(&key).expect("there");
    assert_eq!(state.last_successful_sync_at, stalled.last_successful_sync_at);
    assert!(state.stalled && state.status == "active" && !state.syncing);
    bench.act(&key, "finish_sync").await;
    eventually("the end of the stall", || {
        let state = bench.makini.connection(&key).expect("there");
        (!state.stalled && state.last_successful_sync_at > stalled.last_successful_sync_at).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_deleted_connection_is_gone() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(5);
    bench.act(&key, "delete").await;
    let answer = bench.ask(Method::GET, &format!("/api/v1/connections/{key}")).send().await.expect("an answer");
    assert_eq!(answer.status(), 404);
    assert_eq!(bench.get("/api/v1/connections").await["total"], 11);
    assert!(bench.makini.connections().iter().all(|one| one.key != key));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    let path = format!("/_sim/connections/{key}/actions");
    let cases = [
        (path.as_str(), json!({ "action": "explode" }), 422),
        (path.as_str(), json!({ "action": "delete", "really": true }), 422),
        ("/_sim/connections/1/actions", json!({ "action": "delete" }), 404),
        ("/_sim/faults", json!({ "fault": "error_rate", "value": 2 }), 422),
        ("/_sim/faults", json!({ "fault": "outage", "value": 1, "scope": "platform:fax" }), 404),
        ("/_sim/faults", json!({ "fault": "outage", "value": 1, "scope": "everything" }), 422),
        ("/_sim/faults", json!({ "fault": "latency_ms" }), 422),
        ("/_sim/story", json!({ "running": "yes" }), 422),
        ("/_sim/nothing", json!({}), 404),
    ];
    for (path, body, status) in cases {
        let answer = bench.control(Method::POST, path, body.clone()).await;
        assert_eq!(answer.status(), status, "{path} {body}");
        let said: serde_json::Value = answer.json().await.expect("JSON");
        assert!(said["error"].is_string(), "{path} {body}");
    }
    let broken = bench.http.post(bench.at(&path)).body("{").send().await.expect("an answer");
    assert_eq!(broken.status(), 400);
    let state = bench.makini.connection(&key).expect("there");
    assert!(!state.touched && state.status == "active");
    bench.act(&key, "change_credentials").await;
    let finish = bench.control(Method::POST, &path, json!({ "action": "finish_sync" })).await;
    assert_eq!(finish.status(), 422);
}
