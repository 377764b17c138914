//! The lists, the single reads, the errors.

use crate::support::{Bench, calm};
use reqwest::Method;
use simulator::{Dialect, Options};
use std::collections::HashSet;
use std::time::Instant;

#[tokio::test]
async fn paging_shows_every_connection_once() {
    let bench = Bench::start(Options { connections: 1_234, ..calm() }).await;
    let mut keys = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = bench.get(&format!("/api/v1/connections?limit=100{cursor}")).await;
        assert_eq!(page["total"], 1_234);
        keys.extend(page["data"].as_array().expect("a list").iter().map(|one| one["id"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(keys.len(), 1_234);
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 1_234);
}

#[tokio::test]
async fn a_delete_between_two_pages_hides_nobody() {
    let bench = Bench::start(Options { connections: 1_234, ..calm() }).await;
    let all: Vec<_> = bench.makini.connections().into_iter().map(|one| one.key).collect();
    let first = bench.get("/api/v1/connections?limit=500").await;
    // One of the first page, the very last of it, and one still to come.
    for gone in [&all[3], &all[499], &all[700]] {
        let path = format!("/api/system/connections/{gone}");
        assert_eq!(bench.ask(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
        assert_eq!(bench.ask(Method::DELETE, &path).send().await.expect("an answer").status(), 404);
    }
    let mut seen: Vec<_> = first["data"].as_array().expect("a list").clone();
    let mut cursor = first["next_cursor"].clone();
    while let Some(next) = cursor.as_str() {
        let page = bench.get(&format!("/api/v1/connections?limit=500&cursor={next}")).await;
        assert_eq!(page["total"], 1_231);
        seen.extend(page["data"].as_array().expect("a list").iter().cloned());
        cursor = page["next_cursor"].clone();
    }
    let seen: Vec<_> = seen.iter().map(|one| one["id"].as_str().expect("an id")).collect();
    let expected: Vec<_> = all.iter().filter(|key| **key != all[700]).collect();
    assert_eq!(seen, expected, "all but the one that went before its page came");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_connections_in_two_processes() {
    let (one, two) = (Bench::start(calm()).await, Bench::start(calm()).await);
    let keys =
        |bench: &Bench| bench.makini.connections().into_iter().map(|one| (one.key, one.name)).collect::<Vec<_>>();
    assert_eq!(keys(&one), keys(&two));
}

#[tokio::test]
async fn a_connection_has_all_its_fields() {
    let bench = Bench::start(calm()).await;
    let key = bench.key(0);
    let one = &bench.get(&format!("/api/v1/connections/{key}")).await["data"];
    assert_eq!(one["id"], *key);
    assert_eq!(key.len(), 14);
    assert_eq!(one["status"], "active");
    assert_eq!(one["reauthorization_required"], false);
    for field in ["/name", "/email", "/system/slug", "/system/name", "/metadata/customer_id", "/metadata/customer_name"]
    {
        assert!(one.pointer(field).is_some_and(|value| value.is_string()), "{field}");
    }
    for field in ["last_successful_sync_at", "updated_at"] {
        let stamp = one[field].as_str().expect("a moment");
        assert!(stamp.len() == 24 && stamp.ends_with('Z'), "milliseconds and a Z: {stamp}");
    }
    let status = bench.get(&format!("/api/v1/connections/{key}/status")).await;
    assert_eq!((&status["status"], &status["error"]), (&"active".into(), &serde_json::Value::Null));
    let sync = bench.get(&format!("/api/v1/connections/{key}/sync-status")).await;
    assert_eq!(sync["status"], "completed");
    assert_eq!(sync["errors"], serde_json::json!([]));
    assert!(sync["next_scheduled_sync_at"].is_string());
}

#[tokio::test]
async fn errors_have_a_code_and_the_id_of_their_request() {
    let bench = Bench::start(calm()).await;
    let cases = [
        (Method::GET, "/api/v1/connections?limit=0", 400, "INVALID_REQUEST"),
        (Method::GET, "/api/v1/connections?limit=501", 400, "INVALID_REQUEST"),
        (Method::GET, "/api/v1/connections?cursor=nonsense", 400, "INVALID_REQUEST"),
        (Method::GET, "/api/v1/connections/09000000000000", 404, "NOT_FOUND"),
        (Method::GET, "/api/v1/nothing", 404, "NOT_FOUND"),
        (Method::PUT, "/api/v1/connections", 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, "/api/system/webhooks/deliveries?status=lost", 400, "INVALID_REQUEST"),
    ];
    for (method, path, status, code) in cases {
        let answer = bench.ask(method, path).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["x-makini-version"], "v1");
        assert!(answer.headers().contains_key("date"));
        if status == 405 {
            assert!(answer.headers()["allow"].to_str().expect("text").contains("GET"));
        }
        let id = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
        assert!(id.starts_with("req_"));
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(body["error"]["code"], code, "{path}");
        assert_eq!(body["error"]["request_id"], *id);
        assert!(body["error"]["type"].is_string() && body["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn a_sync_is_started_once() {
    let bench = Bench::start(calm()).await;
    let path = format!("/api/v1/connections/{}/syncs", bench.key(1));
    let start = |body: &'static str| bench.ask(Method::POST, &path).body(body).send();
    assert_eq!(start(r#"{"type":"sideways"}"#).await.expect("an answer").status(), 400);
    assert_eq!(start(r#"{"type":"full"}"#).await.expect("an answer").status(), 202);
    let again = start(r#"{"type":"incremental"}"#).await.expect("an answer");
    assert_eq!(again.status(), 409);
    assert_eq!(again.json::<serde_json::Value>().await.expect("JSON")["error"]["code"], "SYNC_IN_PROGRESS");
    let status = bench.get(&format!("/api/v1/connections/{}/status", bench.key(1))).await;
    assert_eq!(status["status"], "in_progress");
}

#[tokio::test]
async fn ten_times_the_connections_take_about_ten_times_as_long_to_start() {
    let start = |connections| async move {
        let started = Instant::now();
        let bench = Bench::start(Options { connections, story: true, time_scale: 60.0, ..calm() }).await;
        assert_eq!(bench.get("/api/v1/connections?limit=1").await["total"], connections);
        started.elapsed()
    };
    let (few, many) = (start(5_000).await, start(50_000).await);
    assert!(many < few * 40, "{few:?} for 5,000, {many:?} for 50,000");
}

#[tokio::test]
async fn each_dialect_keeps_to_its_own_paths() {
    assert_eq!("faq_v1".parse(), Ok(Dialect::FaqV1));
    assert_eq!("openapi_2025".parse(), Ok(Dialect::Openapi2025));
    assert!("v1".parse::<Dialect>().is_err());
    let answered = async |bench: &Bench, path: &str| {
        bench.ask(Method::GET, path).send().await.expect("an answer").status().as_u16()
    };
    for (dialect, there, not_there) in [
        (Dialect::FaqV1, "/api/v1/connections", "/api/system/connections"),
        (Dialect::Openapi2025, "/api/system/connections", "/api/v1/connections"),
    ] {
        let bench = Bench::start(Options { dialect, ..calm() }).await;
        assert_eq!((answered(&bench, there).await, answered(&bench, not_there).await), (200, 404), "{dialect}");
        assert_eq!(bench.get("/_sim/state").await["dialect"], dialect.to_string());
    }
}
