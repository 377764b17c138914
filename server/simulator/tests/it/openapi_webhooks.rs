//! Webhooks of the dialect `openapi_2025`: the bare form about records, beside the events about connections.

use crate::support::{Bench, eventually, openapi};
use base64::Engine as _;
use hmac::Mac as _;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{DeliveryStatus, Options};

#[tokio::test]
async fn a_good_sync_names_records_that_can_be_read() {
    let bench = Bench::start(openapi()).await;
    let key = bench.key(0);
    bench.act(&key, "finish_sync").await;
    bench.inbox.wait_for(&key, "sync.completed").await;
    let bare = |one: &crate::support::Received| one.body["body"].is_array();
    let got = eventually("the bare form", || bench.inbox.all().into_iter().find(bare)).await;
    assert_eq!(got.body.as_object().expect("an object").len(), 2, "an event and a body, no id, no time, no connection");
    let text = std::str::from_utf8(&got.bytes).expect("text");
    assert!(text.starts_with(r#"{"event":""#) && text.contains(r#"","body":[""#), "compact, in this order: {text}");
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"whsec_linewatch_demo").expect("a key");
    mac.update(&got.bytes);
    assert_eq!(got.signature, base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes()));

    let (entity, verb) = got.body["event"].as_str().expect("text").split_once('.').expect("two words");
    assert!(matches!(verb, "inserted" | "updated"), "{verb}");
    let token = bench.token(&key).await;
    for id in got.body["body"].as_array().expect("a list") {
        let path = format!("/api/eam/{}?filter[id]={}", entity.replace('_', "-"), id.as_str().expect("text"));
        assert_eq!(bench.read(&token, &path).await["meta"]["total"], 1, "{path}");
    }
    let known = bench.makini.deliveries().into_iter().find(|one| one.event == got.body["event"]);
    assert_eq!(known.expect("in the log").connection_id, key, "the simulator knows whose it was");
}

#[tokio::test]
async fn what_is_written_is_told() {
    let bench = Bench::start(Options { connections: 60, ..openapi() }).await;
    let key = bench.key_on("upkeep");
    let token = bench.token(&key).await;
    let (_, made) = bench.say(&token, Method::POST, "/api/eam/assets", json!({ "name": "Pump" })).await;
    let id = made["data"]["id"].as_str().expect("text").to_owned();
    eventually("the insert", || bench.inbox.bare("assets.inserted").contains(&vec![id.clone()]).then_some(())).await;
    let path = format!("/api/eam/assets/{}", made["data"]["key"].as_str().expect("text"));
    for name in ["Pump 2", "Pump 3"] {
        assert_eq!(bench.say(&token, Method::PUT, &path, json!({ "name": name })).await.0, 200);
    }
    eventually("both updates", || (bench.inbox.bare("assets.updated") == [[id.as_str()], [&id]]).then_some(())).await;
    let batch: Vec<_> = (0..50).map(|n| json!({ "name": format!("Pump {n}") })).collect();
    bench.say(&token, Method::POST, "/api/wms/assets", json!(batch)).await;
    eventually("one event of fifty", || {
        bench.inbox.bare("assets.inserted").iter().find(|ids| ids.len() == 50).cloned()
    })
    .await;
    assert_eq!(bench.say(&token, Method::DELETE, &path, Value::Null).await.0, 200);
    let all = bench.inbox.all().len();
    bench.act(&key, "fail_sync").await;
    bench.inbox.wait_for(&key, "sync.failed").await;
    assert_eq!(bench.inbox.all().len(), all + 1, "nothing is told of deleting");
}

#[tokio::test]
async fn events_about_connections_come_as_ever() {
    let bench = Bench::start(openapi()).await;
    let key = bench.key(0);
    bench.act(&key, "change_credentials").await;
    let event = bench.inbox.wait_for(&key, "connection.reauthorization_required").await;
    assert!(event.body["id"].as_str().expect("an id").starts_with("evt_") && event.body["timestamp"].is_string());
    bench.act(&key, "reconnect").await;
    bench.inbox.wait_for(&key, "sync.completed").await;
    bench.act(&key, "go_offline").await;
    bench.inbox.wait_for(&key, "connection.status_changed").await;
}

#[tokio::test]
async fn the_failed_log_is_paged_and_retried() {
    let bench = Bench::start(Options { time_scale: 1e7, connections: 1, ..openapi() }).await;
    let key = bench.key(0);
    bench.act(&key, "stall_sync").await;
    bench.inbox.answer(500);
    bench.act(&key, "change_credentials").await;
    let failed = || bench.makini.deliveries().into_iter().find(|one| one.status == DeliveryStatus::Failed);
    let one = eventually("a failed delivery", failed).await;
    let log = bench.get("/api/system/webhooks/deliveries?status=failed&per_page=1").await;
    assert_eq!((&log["data"][0]["id"], &log["meta"]["per_page"]), (&json!(one.id), &json!(1)));
    assert_eq!(
        bench.ask(Method::GET, "/api/system/webhooks/deliveries?status=lost").send().await.expect("an answer").status(),
        400
    );
    bench.inbox.answer(200);
    let path = format!("/api/system/webhooks/deliveries/{}/retry", one.id);
    assert_eq!(bench.ask(Method::POST, &path).send().await.expect("an answer").status(), 202);
    let delivered = || {
        bench
            .makini
            .deliveries()
            .into_iter()
            .find(|other| other.id == one.id && other.status == DeliveryStatus::Delivered)
    };
    eventually("the delivery", delivered).await;
}

#[tokio::test]
async fn what_the_customer_changes_shows_even_when_its_webhook_is_lost() {
    let bench = Bench::start(openapi()).await;
    let real = bench.makini.connections().into_iter().find(|one| !one.sandbox && one.status == "active");
    let key = real.expect("one is quiet").key;
    let token = bench.token(&key).await;
    let newest = "/api/eam/assets?sort[updatedAt]=1&per_page=1";
    bench.act(&key, "change_record").await;
    let told = eventually("the update", || bench.inbox.bare("assets.updated").first().cloned()).await;
    let first = bench.read(&token, newest).await["data"][0].clone();
    assert_eq!(Value::from(told), json!([first["id"]]));
    bench.fault("drop_webhooks", 1.0, "all").await;
    bench.act(&key, "change_record").await;
    let second = bench.read(&token, newest).await["data"][0].clone();
    assert!(second["updatedAt"].as_str() > first["updatedAt"].as_str(), "{first} {second}");
    let lost = |one: &simulator::Delivery| one.status == DeliveryStatus::Dropped && one.event == "assets.updated";
    assert_eq!(bench.makini.deliveries().iter().filter(|one| lost(one)).count(), 1);
}
