//! The unified API, read: the same records under every prefix, in the way of each dialect.

use crate::support::{Bench, calm, openapi};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::Options;
use std::collections::HashSet;

const ENTITIES: [&str; 4] = ["purchase-orders", "work-orders", "assets", "inventories"];

#[tokio::test]
async fn every_connection_has_all_entities_under_all_prefixes() {
    let bench = Bench::start(openapi()).await;
    for place in 0..3 {
        let token = bench.token(&bench.key(place)).await;
        for entity in ENTITIES {
            let [eam, erp, wms] = ["eam", "erp", "wms"].map(|prefix| format!("/api/{prefix}/{entity}"));
            let first = bench.read(&token, &eam).await;
            assert!(first["meta"]["total"].as_u64().expect("a number") >= 25, "{entity}");
            assert_eq!(first["data"], bench.read(&token, &erp).await["data"]);
            assert_eq!(first["data"], bench.read(&token, &wms).await["data"]);
            let one = &first["data"][0];
            assert_eq!(one["key"].as_str().expect("text").len(), 14);
            assert!(one["createdAt"].as_str().expect("text").ends_with('Z') && one["deletedAt"].is_null());
            let path = format!("{eam}/{}", one["key"].as_str().expect("text"));
            assert_eq!(bench.read(&token, &path).await["data"], *one);
        }
    }
    let token = bench.token(&bench.key(0)).await;
    for path in ["/api/eam/planets", "/api/eam/assets/02000000000000", "/api/eam/assets/1", "/api/crm/assets"] {
        let (status, said) = bench.say(&token, Method::GET, path, Value::Null).await;
        assert_eq!((status, &said["error"]["code"]), (404, &json!("NOT_FOUND")), "{path}");
    }
}

#[tokio::test]
async fn the_seed_and_the_connection_decide_what_is_there() {
    let read = async |seed, place| {
        let bench = Bench::start(Options { seed, ..openapi() }).await;
        let token = bench.token(&bench.key(place)).await;
        bench.read(&token, "/api/erp/purchase-orders?per_page=100").await["data"].clone()
    };
    let once = read(7, 0).await;
    assert_eq!(once, read(7, 0).await);
    assert_ne!(once, read(7, 1).await);
    assert_ne!(once, read(8, 0).await);
}

#[tokio::test]
async fn purchase_orders_are_as_in_life() {
    let bench = Bench::start(openapi()).await;
    let token = bench.token(&bench.key(0)).await;
    let orders = bench.read(&token, "/api/erp/purchase-orders?per_page=100").await;
    let orders = orders["data"].as_array().expect("a list");
    let words: HashSet<_> = orders.iter().filter_map(|one| one["status"].as_str()).collect();
    assert!(["draft", "approved", "completed"].iter().all(|word| words.contains(word)), "{words:?}");
    assert!(orders.iter().any(|one| one["customFields"]["costCenter"].is_string()));
    assert!(orders.iter().any(|one| one["customFields"] == json!({})));
    for one in orders {
        let lines = one["lines"].as_array().expect("lines");
        let sum: f64 = lines.iter().map(|line| line["lineTotal"].as_f64().expect("a number")).sum();
        assert!(!lines.is_empty() && (sum - one["total"].as_f64().expect("a number")).abs() < 0.01, "{one}");
        for field in ["number", "vendorKey", "vendorName", "currency", "terms", "orderedAt", "dueAt"] {
            assert!(one[field].is_string(), "{field} of {one}");
        }
    }
}

#[tokio::test]
async fn pages_filters_and_orders_of_the_openapi_dialect() {
    let bench = Bench::start(openapi()).await;
    let token = bench.token(&bench.key(0)).await;
    let get = async |query: &str| bench.read(&token, &format!("/api/wms/inventories?per_page=100&{query}")).await;
    let total = async |query: &str| get(query).await["meta"]["total"].as_u64().expect("a number");
    let all = total("").await;
    let empty = total("filter[quantity]=0").await;
    assert!(empty > 0 && empty + total("filter[quantity:gt]=0").await == all);
    let one = get("").await["data"][7].clone();
    let code = one["code"].as_str().expect("text");
    assert_eq!(total(&format!("filter[code]={code}")).await, 1);
    assert_eq!(total(&format!("filter[code]={code}&filter[quantity]=-1")).await, 0);
    assert_eq!(total(&format!("filter[code]={code}&filter[quantity]=-1&filterMatch=any")).await, 1);
    let split = "2024-06-01";
    let (before, after) = (format!("filter[createdAt:lt]={split}"), format!("filter[createdAt:gteq]={split}"));
    let (before, after) = (total(&before).await, total(&after).await);
    assert!(before > 0 && after > 0 && before + after == all);
    let greatest = get("sort[quantity]=1").await;
    let quantities: Vec<_> = greatest["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["quantity"].as_f64().expect("a number"))
        .collect();
    assert!(quantities.is_sorted_by(|one, other| one >= other));
    let next = get("filter[quantity:gt]=0&per_page=10&sort[code]=0").await["links"]["next"]
        .as_str()
        .expect("a link")
        .to_owned();
    assert!(next.contains("filter%5Bquantity%3Agt%5D=0") && next.contains("page=2"), "{next}");
    for wrong in ["filter[colour]=red", "filter[name:like]=x", "sort[name]=up", "per_page=101"] {
        let path = format!("/api/wms/inventories?{wrong}");
        assert_eq!(bench.say(&token, Method::GET, &path, Value::Null).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_faq_dialect_reads_them_by_cursor_and_since_when() {
    let bench = Bench::start(calm()).await;
    let token = bench.token(&bench.key(0)).await;
    let (mut keys, mut cursor) = (Vec::new(), String::new());
    let total = loop {
        let page = bench.read(&token, &format!("/api/v1/purchase-orders?limit=10{cursor}")).await;
        keys.extend(page["data"].as_array().expect("a list").iter().map(|one| one["key"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break page["total"].as_u64().expect("a number"),
        }
    };
    assert_eq!((keys.len() as u64, keys.iter().collect::<HashSet<_>>().len()), (total, keys.len()));
    let same = bench.read(&token, "/api/eam/purchase-orders?limit=500").await;
    assert_eq!((same["data"].as_array().expect("a list").len() as u64, &same["meta"]), (total, &Value::Null));
    let count = async |query: &str| {
        bench.read(&token, &format!("/api/v1/purchase-orders?{query}")).await["total"].as_u64().expect("a number")
    };
    let (after, before) =
        (count("modified_after=2024-06-01").await, count("modified_before=2024-06-01T00:00:00Z").await);
    assert!(after > 0 && before > 0 && after + before == total);
    assert!(count("created_after=2024-01-01&created_before=2024-06-01").await < total);
    for wrong in ["modified_after=soon", "limit=0", "cursor=%25"] {
        let path = format!("/api/v1/purchase-orders?{wrong}");
        assert_eq!(bench.say(&token, Method::GET, &path, Value::Null).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn only_the_connections_own_token_opens_them_and_only_while_it_is_well() {
    for options in [calm(), openapi()] {
        let bench = Bench::start(options).await;
        let key = bench.key(0);
        let token = bench.token(&key).await;
        let code = async |token: &str| {
            let (status, said) = bench.say(token, Method::GET, "/api/eam/assets", Value::Null).await;
            (status, said["error"]["code"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(code(&token).await, (200, String::new()));
        assert_eq!(code(&bench.admin).await, (403, "PERMISSION_DENIED".to_owned()));
        assert_eq!(code("nonsense").await, (401, "AUTHENTICATION_FAILED".to_owned()));
        bench.act(&key, "go_offline").await;
        assert_eq!(code(&token).await, (503, "SYSTEM_UNREACHABLE".to_owned()));
        bench.act(&key, "come_online").await;
        bench.act(&key, "change_credentials").await;
        assert_eq!(code(&token).await, (401, "REAUTHORIZATION_REQUIRED".to_owned()));
        bench.act(&key, "reconnect").await;
        assert_eq!(code(&token).await, (401, "AUTHENTICATION_FAILED".to_owned()));
        let next = bench.token(&key).await;
        assert_eq!(code(&next).await.0, 200);
    }
}
