//! What can be made to go wrong around the connections.

use crate::support::{Bench, calm, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::Options;
use std::collections::HashSet;
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_api_can_be_slow_limited_failing_and_out() {
    let bench = Bench::start(calm()).await;
    let ask = async || bench.ask(Method::GET, "/api/v1/connections").send().await.expect("an answer").status().as_u16();
    bench.fault("latency_ms", 150.0, "all").await;
    let started = Instant::now();
    assert_eq!(ask().await, 200);
    assert!(started.elapsed() >= Duration::from_millis(150));
    assert_eq!(bench.control(Method::DELETE, "/_sim/faults", json!({})).await.status(), 204);

    let id = bench.fault("error_rate", 1.0, "all").await;
    assert!(matches!(ask().await, 500 | 503));
    assert_eq!(bench.control(Method::DELETE, &format!("/_sim/faults/{id}"), json!({})).await.status(), 204);
    assert_eq!(bench.control(Method::DELETE, &format!("/_sim/faults/{id}"), json!({})).await.status(), 404);
    assert_eq!(ask().await, 200);

    bench.fault("outage", 1.0, "all").await;
    assert_eq!(ask().await, 503);
    assert!(bench.makini.connections().iter().all(|one| one.status != "offline"), "the API's outage, not theirs");
    bench.control(Method::DELETE, "/_sim/faults", json!({})).await;

    bench.fault("rate_limit", 0.0, "all").await;
    assert_eq!(ask().await, 429);
}

#[tokio::test]
async fn a_fault_keeps_to_its_scope() {
    let bench = Bench::start(calm()).await;
    let (one, other) = (bench.key(0), bench.key(1));
    bench.fault("error_rate", 1.0, &format!("connection:{one}")).await;
    bench.fault("rate_limit", 1.0, &format!("connection:{other}")).await;
    let ask = async |key: &str| {
        let path = format!("/api/v1/connections/{key}/status");
        bench.ask(Method::GET, &path).send().await.expect("an answer").status().as_u16()
    };
    assert!(ask(&one).await >= 500);
    assert_eq!((ask(&other).await, ask(&other).await), (200, 429));
    assert_eq!(ask(&bench.key(2)).await, 200);
    let state = bench.get("/_sim/state?limit=1").await;
    assert_eq!(state["faults"].as_array().expect("a list").len(), 2);
    assert_eq!(state["faults"][0]["scope"], format!("connection:{one}"));
    assert_eq!(state["connections"].as_array().expect("a list").len(), 1);
}

#[tokio::test]
async fn an_outage_takes_a_platform_away_and_gives_it_back() {
    let bench = Bench::start(Options { connections: 200, ..calm() }).await;
    let of = |slug: &str| -> HashSet<String> {
        bench.makini.connections().into_iter().filter(|one| one.platform == slug).map(|one| one.key).collect()
    };
    let hit = of("netsuite");
    assert!(hit.len() > 3);
    let body = json!({ "fault": "outage", "value": 1, "scope": "platform:netsuite", "for_seconds": 0.5 });
    assert_eq!(bench.control(Method::POST, "/_sim/faults", body).await.status(), 201);
    let offline = || bench.makini.connections().into_iter().filter(|one| one.status == "offline").map(|one| one.key);
    assert_eq!(offline().collect::<HashSet<_>>(), hit);
    eventually("the end of the outage", || (offline().count() == 0).then_some(())).await;
    for key in &hit {
        let told =
            |status: &str| {
                bench.inbox.about(key).into_iter().find(|one| {
                    one.body["event"] == "connection.status_changed" && one.body["data"]["status"] == status
                })
            };
        eventually("going", || told("offline")).await;
        eventually("coming back", || told("online")).await;
    }
    assert!(bench.makini.connections().iter().all(|one| !one.touched));
}

#[tokio::test]
async fn webhooks_are_lost_doubled_late_and_forged() {
    let bench = Bench::start(calm()).await;
    let keys: Vec<_> = (0..4).map(|place| bench.key(place)).collect();
    for (key, fault) in keys.iter().zip(["drop_webhooks", "duplicate_webhooks", "reorder_webhooks", "bad_signature"]) {
        bench.fault(fault, 1.0, &format!("connection:{key}")).await;
        bench.act(key, "finish_sync").await;
    }
    let [lost, doubled, late, forged] = &keys[..] else { unreachable!("four keys") };
    eventually("the second copy", || (bench.inbox.about(doubled).len() == 2).then_some(())).await;
    let copies = bench.inbox.about(doubled);
    assert_eq!(copies[0].bytes, copies[1].bytes);
    let wrong = bench.inbox.wait_for(forged, "sync.completed").await;
    assert_ne!(wrong.signature, "");
    let started = Instant::now();
    let came: Value = bench.inbox.wait_for(late, "sync.completed").await.body;
    assert!(started.elapsed() < Duration::from_secs(7) && came["connection_id"] == **late);
    assert!(bench.inbox.about(lost).is_empty());
    let counters = bench.makini.counters();
    assert_eq!((counters.webhooks_dropped, counters.webhooks_duplicated), (1, 1));
    assert_eq!((counters.webhooks_delayed, counters.webhooks_badly_signed), (1, 1));
}
