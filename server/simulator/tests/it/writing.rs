//! The unified API, written: what each platform allows, what is refused, and what stays.

use crate::support::{Bench, calm, openapi};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::Options;

/// Enough connections to have most platforms, and sandboxes.
fn fleet() -> Options {
    Options { connections: 150, ..openapi() }
}

/// A bench with the token of one connection.
struct Desk {
    bench: Bench,
    token: String,
}

impl Desk {
    async fn on(platform: &str) -> Self {
        let bench = Bench::start(fleet()).await;
        let token = bench.token(&bench.key_on(platform)).await;
        Self { bench, token }
    }

    async fn say(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.bench.say(&self.token, method, path, body).await
    }

    /// The code of the error, with the status.
    async fn code(&self, method: Method, path: &str, body: Value) -> (u16, String) {
        let (status, said) = self.say(method, path, body).await;
        (status, said["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn first(&self, list: &str) -> Value {
        self.bench.read(&self.token, list).await["data"][0].clone()
    }
}

fn key(record: &Value) -> &str {
    record["key"].as_str().expect("a key")
}

#[tokio::test]
async fn a_purchase_order_from_the_draft_to_its_end() {
    let desk = Desk::on("netsuite").await;
    let vendor = desk.first("/api/erp/purchase-orders").await["vendorKey"].clone();
    let order = json!({
        "vendorKey": vendor,
        "lines": [{ "name": "Gasket", "quantity": 3, "unitPrice": 1.5 }, { "quantity": 1, "unitPrice": 10 }],
        "customFields": { "costCenter": "CC-1" },
    });
    let (status, made) = desk.say(Method::POST, "/api/erp/purchase-orders", order).await;
    assert_eq!(status, 200, "{made}");
    let made = &made["data"];
    assert_eq!((&made["status"], &made["total"], &made["currency"]), (&json!("draft"), &json!(14.5), &json!("EUR")));
    assert!(made["number"].is_string() && made["vendorName"].is_string() && made["lines"][1]["lineNo"] == 20);
    let path = format!("/api/erp/purchase-orders/{}", key(made));
    let terms = desk.say(Method::PUT, &path, json!({ "terms": "net 60" })).await.1;
    assert_eq!((&terms["data"]["terms"], &terms["data"]["total"]), (&json!("net 60"), &json!(14.5)));

    let status_path = format!("{path}/status");
    let step = async |word: &str| desk.code(Method::PUT, &status_path, json!({ "statusKey": word })).await;
    assert_eq!(step("completed").await, (400, "INVALID_REQUEST".into()), "not before it is approved");
    assert_eq!(step("approved").await.0, 200);
    let locked = (409, "RECORD_LOCKED".to_owned());
    assert_eq!(desk.code(Method::PUT, &path, json!({ "terms": "net 10" })).await, locked);
    assert_eq!(desk.code(Method::DELETE, &path, Value::Null).await, locked);
    let unchanged = desk.bench.read(&desk.token, &path).await["data"].clone();
    assert_eq!((&unchanged["terms"], &unchanged["status"]), (&json!("net 60"), &json!("approved")));
    assert_eq!(desk.say(Method::PUT, &path, unchanged).await.0, 200, "the same once more is no change");
    assert_eq!(desk.say(Method::PUT, &path, json!({ "status": "completed" })).await.0, 200);
    assert_eq!(step("cancelled").await, locked);
}

#[tokio::test]
async fn what_was_drawn_is_changed_and_listed_as_changed() {
    let desk = Desk::on("upkeep").await;
    let first = desk.first("/api/eam/assets").await;
    let path = format!("/api/eam/assets/{}", key(&first));
    let (status, changed) = desk.say(Method::PUT, &path, json!({ "name": "Renamed", "isActive": false })).await;
    assert_eq!((status, &changed["data"]["name"], &changed["data"]["code"]), (200, &json!("Renamed"), &first["code"]));
    assert!(changed["data"]["updatedAt"].as_str() > first["updatedAt"].as_str());
    assert_eq!(desk.first("/api/wms/assets").await, changed["data"]);
    let newest = desk.first("/api/eam/assets?sort[updatedAt]=1").await;
    assert_eq!(key(&newest), key(&first));
    let other = desk.bench.token(&desk.bench.key_on("maintainx")).await;
    let elsewhere = desk.bench.read(&other, "/api/eam/assets?filter[name]=Renamed").await;
    assert_eq!(elsewhere["meta"]["total"], 0, "nobody else has it");
}

#[tokio::test]
async fn deleting_is_soft_and_final() {
    let desk = Desk::on("upkeep").await;
    let total = async || desk.bench.read(&desk.token, "/api/eam/work-orders").await["meta"]["total"].clone();
    let (draft, before) = (desk.first("/api/eam/work-orders?filter[status]=draft").await, total().await);
    let path = format!("/api/eam/work-orders/{}", key(&draft));
    let (status, gone) = desk.say(Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, 200);
    assert!(gone["data"]["deletedAt"].is_string());
    assert_eq!(desk.bench.read(&desk.token, &path).await, gone, "it still is there, and says so");
    assert_eq!(total().await, before);
    let deleted = desk.bench.read(&desk.token, "/api/eam/work-orders?filter[deletedAt:gt]=2020-01-01").await;
    assert_eq!(deleted["meta"]["total"], 1);
    let refused = (409, "RECORD_DELETED".to_owned());
    assert_eq!(desk.code(Method::DELETE, &path, Value::Null).await, refused);
    assert_eq!(desk.code(Method::PUT, &path, json!({ "title": "Again" })).await, refused);
}

#[tokio::test]
async fn platforms_differ_in_what_they_allow() {
    let bench = Bench::start(fleet()).await;
    let record = json!({ "name": "Pump", "title": "Inspect", "code": "P", "vendorKey": "0", "lines": [] });
    let say = async |platform: &str, method: Method, path: &str| {
        let token = bench.token(&bench.key_on(platform)).await;
        let request = bench.http.request(method, bench.at(path)).bearer_auth(&token).json(&record);
        let answer = request.send().await.expect("an answer");
        let allow = answer.headers().get("allow").map(|allow| allow.to_str().expect("text").to_owned());
        let (status, said) = (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"));
        (status, said["error"]["code"].as_str().unwrap_or_default().to_owned(), allow)
    };
    let refused = |allow: &str| (405, "OPERATION_NOT_SUPPORTED".to_owned(), Some(allow.to_owned()));
    assert_eq!(say("emaint", Method::POST, "/api/eam/purchase-orders").await, refused("GET,HEAD"));
    assert_eq!(say("netsuite", Method::POST, "/api/eam/work-orders").await, refused("GET,HEAD"));
    assert_eq!(say("tecsys-wms", Method::POST, "/api/wms/assets").await, refused("GET,HEAD"));
    assert_eq!(say("sage-x3", Method::PUT, "/api/erp/purchase-orders/05000000000001").await, refused("GET,HEAD"));
    assert_eq!(say("maximo", Method::DELETE, "/api/eam/assets/02000000000001").await, refused("GET,HEAD,PUT"));
    assert_eq!(say("netsuite", Method::PATCH, "/api/erp/purchase-orders").await.1, "METHOD_NOT_ALLOWED");

    let limble = bench.token(&bench.key_on("limble")).await;
    let asset = bench.read(&limble, "/api/eam/assets").await["data"][0].clone();
    let path = format!("/api/eam/assets/{}", key(&asset));
    assert_eq!(bench.say(&limble, Method::PUT, &path, json!({ "name": "New" })).await.0, 200);
    assert_eq!(bench.say(&limble, Method::PUT, &path, json!({ "criticality": "Z" })).await.0, 400);
    let other = if asset["criticality"] == "A" { "B" } else { "A" };
    let (status, said) = bench.say(&limble, Method::PUT, &path, json!({ "criticality": other })).await;
    assert!(
        status == 400 && said["error"]["message"].as_str().expect("text").contains("only name, description"),
        "{said}"
    );

    let emaint = bench.token(&bench.key_on("emaint")).await;
    let (status, said) = bench.say(&emaint, Method::POST, "/api/eam/work-orders", json!({ "title": "Inspect" })).await;
    assert_eq!((status, &said["error"]["message"]), (400, &json!("assetKey is missing")));
    let asset = bench.read(&emaint, "/api/eam/assets").await["data"][0]["key"].clone();
    let whole = json!({ "title": "Inspect", "assetKey": asset, "scheduledAt": "2026-01-02" });
    assert_eq!(bench.say(&emaint, Method::POST, "/api/eam/work-orders", whole).await.0, 200);

    let sap = bench.token(&bench.key_on("sap-s4hana")).await;
    let custom = json!({ "title": "Inspect", "customFields": { "project": "x" } });
    assert_eq!(bench.say(&sap, Method::POST, "/api/eam/work-orders", custom).await.0, 400);
    assert_eq!(bench.say(&sap, Method::POST, "/api/eam/work-orders", json!({ "title": "Inspect" })).await.0, 200);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let desk = Desk::on("odoo").await;
    let order = desk.first("/api/erp/purchase-orders").await;
    let lines = json!([{ "quantity": 1, "unitPrice": 1 }]);
    let empty = desk.first("/api/wms/inventories?filter[quantity]=0").await;
    for (entity, body, code) in [
        ("purchase-orders", json!({ "vendorKey": order["vendorKey"] }), "INVALID_REQUEST"),
        ("purchase-orders", json!({ "vendorKey": "06000000000001", "lines": lines }), "INVALID_VENDOR"),
        ("purchase-orders", json!({ "vendorKey": order["vendorKey"], "lines": [] }), "INVALID_REQUEST"),
        (
            "purchase-orders",
            json!({ "vendorKey": order["vendorKey"], "lines": lines, "colour": "red" }),
            "INVALID_REQUEST",
        ),
        (
            "purchase-orders",
            json!({ "vendorKey": order["vendorKey"], "lines": lines, "number": "1" }),
            "INVALID_REQUEST",
        ),
        (
            "purchase-orders",
            json!({ "vendorKey": order["vendorKey"], "lines": lines, "status": "approved" }),
            "INVALID_REQUEST",
        ),
        ("work-orders", json!({ "title": "Fix", "assetKey": "02000000000001" }), "INVALID_ASSET"),
        ("work-orders", json!({ "title": "Fix", "priority": "whatever" }), "INVALID_REQUEST"),
        ("work-orders", json!({ "title": "Fix", "dueAt": "soon" }), "INVALID_REQUEST"),
        (
            "work-orders",
            json!({ "title": "Fix", "materials": [{ "materialKey": empty["materialKey"], "quantity": 1 }] }),
            "OUT_OF_STOCK",
        ),
        ("work-orders", json!("Fix"), "INVALID_REQUEST"),
    ] {
        let path = format!("/api/erp/{entity}");
        assert_eq!(desk.code(Method::POST, &path, body.clone()).await, (400, code.into()), "{body}");
    }
    let stock = format!("/api/erp/inventories/{}", key(&empty));
    assert_eq!(desk.code(Method::PUT, &stock, json!({ "quantity": -1 })).await, (400, "OUT_OF_STOCK".into()));
    assert_eq!(desk.code(Method::PUT, &stock, json!({ "quantity": 5 })).await.0, 200);
    let taken = json!({ "title": "Fix", "materials": [{ "materialKey": empty["materialKey"], "quantity": 5 }] });
    assert_eq!(desk.code(Method::POST, "/api/eam/work-orders", taken).await.0, 200, "now there is some");
    assert_eq!(
        desk.code(Method::PUT, "/api/eam/assets/02000000000001/status", json!({ "statusKey": "a" })).await.0,
        404
    );
}

#[tokio::test]
async fn a_sandbox_answers_well_and_changes_nothing() {
    let bench = Bench::start(fleet()).await;
    let writable = ["upkeep", "maintainx", "maximo", "infor-eam", "emaint"];
    let sandbox = |one: &simulator::ConnectionState| one.sandbox && writable.contains(&one.platform.as_str());
    let key_of = bench.makini.connections().into_iter().find(sandbox).expect("a sandbox").key;
    let token = bench.token(&key_of).await;
    let list = bench.read(&token, "/api/eam/work-orders").await;
    let words: Vec<_> =
        list["data"].as_array().expect("a list").iter().filter_map(|one| one["status"].as_str()).collect();
    assert_eq!(words[..3], ["draft", "approved", "completed"], "sample data of each kind");
    let asset = bench.read(&token, "/api/eam/assets").await["data"][0]["key"].clone();
    let order = json!({ "title": "Never", "assetKey": asset, "scheduledAt": "2026-01-02" });
    let (status, made) = bench.say(&token, Method::POST, "/api/eam/work-orders", order).await;
    assert_eq!((status, &made["data"]["title"]), (200, &json!("Never")));
    let path = format!("/api/eam/work-orders/{}", key(&made["data"]));
    assert_eq!(bench.say(&token, Method::GET, &path, Value::Null).await.0, 404, "it was never made");
    let path = format!("/api/eam/work-orders/{}", key(&list["data"][0]));
    let (status, changed) = bench.say(&token, Method::PUT, &path, json!({ "title": "Changed" })).await;
    assert_eq!((status, &changed["data"]["title"]), (200, &json!("Changed")));
    assert_eq!(bench.read(&token, "/api/eam/work-orders").await, list);
    assert!(bench.inbox.bare("work_orders.updated").is_empty(), "and nothing is told");
}

#[tokio::test]
async fn a_batch_names_the_records_that_fail() {
    let desk = Desk::on("upkeep").await;
    let mut batch: Vec<_> = (0..100).map(|n| json!({ "name": format!("Pump {n}") })).collect();
    batch[3] = json!({ "code": "no name" });
    batch[70] = json!("not a record");
    let (status, said) = desk.say(Method::POST, "/api/eam/assets", json!(batch)).await;
    assert_eq!((status, &said["meta"]), (200, &json!({ "total": 100, "succeeded": 98, "failed": 2 })));
    assert_eq!(said["data"].as_array().expect("a list").len(), 98);
    let failed: Vec<_> =
        said["errors"].as_array().expect("a list").iter().map(|one| (&one["index"], &one["code"])).collect();
    assert_eq!(failed, [(&json!(3), &json!("INVALID_REQUEST")), (&json!(70), &json!("INVALID_REQUEST"))]);
    assert_eq!(said["errors"][0]["message"], "name is missing");
    let found = desk
        .bench
        .read(&desk.token, "/api/eam/assets?filter[name:startsWith]=Pump&filter[createdAt:gt]=2026-01-01")
        .await;
    assert_eq!(found["meta"]["total"], 98);

    let made = &said["data"][0];
    let changes = json!([{ "key": key(made), "isActive": false }, { "key": "02000000000001", "isActive": false }, { "isActive": true }]);
    let (_, said) = desk.say(Method::PUT, "/api/eam/assets", changes).await;
    assert_eq!(said["meta"]["succeeded"], 1);
    let named: Vec<_> =
        said["errors"].as_array().expect("a list").iter().map(|one| (&one["key"], &one["code"])).collect();
    assert_eq!(named, [(&json!("02000000000001"), &json!("NOT_FOUND")), (&Value::Null, &json!("INVALID_REQUEST"))]);
    assert_eq!(
        desk.code(Method::POST, "/api/eam/inventories", json!([{ "name": "Bolt" }])).await,
        (405, "OPERATION_NOT_SUPPORTED".into())
    );
    let many: Vec<_> = (0..101).map(|_| json!({ "name": "One too many" })).collect();
    assert_eq!(desk.code(Method::POST, "/api/eam/assets", json!(many)).await, (400, "BATCH_TOO_LARGE".into()));
    assert_eq!(desk.code(Method::POST, "/api/eam/assets", json!([])).await.0, 400);
}

#[tokio::test]
async fn what_was_written_survives_a_restart_and_ends_with_its_connection() {
    let directory = tempfile::tempdir().expect("a directory");
    // In the other dialect it is the same.
    let options = Options { data_dir: Some(directory.path().to_owned()), connections: 150, ..calm() };
    let bench = Bench::start(options.clone()).await;
    let own = bench.key_on("maintainx");
    let token = bench.token(&own).await;
    let (_, made) = bench.say(&token, Method::POST, "/api/v1/assets", json!({ "name": "Kept" })).await;
    let first = bench.read(&token, "/api/v1/assets").await["data"][0].clone();
    let drawn = format!("/api/v1/assets/{}", key(&first));
    bench.say(&token, Method::PUT, &drawn, json!({ "name": "Kept too" })).await;
    let inbox = bench.inbox.clone();
    bench.makini.shutdown().await;

    let bench = Bench::around(simulator::start(options.clone()).await.expect("a simulator"), inbox).await;
    let path = format!("/api/v1/assets/{}", key(&made["data"]));
    assert_eq!(bench.read(&token, &path).await, made);
    assert_eq!(bench.read(&token, &drawn).await["data"]["name"], "Kept too");
    let (_, next) = bench.say(&token, Method::POST, "/api/v1/assets", json!({ "name": "Another" })).await;
    assert_ne!(key(&next["data"]), key(&made["data"]));
    bench.act(&own, "delete").await;
    assert_eq!(bench.say(&token, Method::GET, &path, Value::Null).await.0, 401);
    bench.makini.shutdown().await;
    let saved = std::fs::read_to_string(directory.path().join("simulator.json")).expect("a file");
    assert!(!saved.contains("Kept"), "what belonged to it went with it");
}
