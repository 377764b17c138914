//! What callers send, and what they are told about it.

use crate::world::World;
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn every_mistake_is_named(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    let source = world.source("acme").await;
    let path = format!("/api/v1/sources/{}", source.id);

    let fields = |problem: serde_json::Value| -> Vec<String> {
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    };
    let unknown = machine.json("PATCH", &path, json!({"colour": "red"})).await;
    assert_eq!(fields(unknown.problem(422, "invalid")), ["colour"]);
    let wrong = machine.json("PATCH", &path, json!({"environment": "moon"})).await;
    assert_eq!(fields(wrong.problem(422, "invalid")), ["environment"]);
    let missing = machine.json("POST", "/api/v1/sources", json!({"name": "b"})).await;
    assert_eq!(fields(missing.problem(422, "invalid")), ["base_url"]);
    let query = machine.get("/api/v1/connections?health=fine&limit=0&colour=red").await;
    assert_eq!(fields(query.problem(422, "invalid")), ["health", "limit", "colour"]);

    machine.body("PATCH", &path, "application/json", "{").await.problem(400, "bad_request");
    machine.body("PATCH", &path, "text/plain", "{}").await.problem(415, "unsupported_media_type");
    machine.call("PATCH", &path).await.problem(415, "unsupported_media_type");
    let large = machine.body("PATCH", &path, "application/json", vec![b' '; (1 << 20) + 1]).await;
    large.problem(413, "too_large");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_source_is_made_changed_and_never_tells_its_secrets(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    let new = json!({
        "name": "acme", "base_url": "https://makini.example.com", "client_id": "client",
        "client_secret": "the-client-secret-itself", "webhook_secret": "whsec_the-webhook-secret-itself",
    });
    let made = machine.json("POST", "/api/v1/sources", new.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(made.json()["webhook_url"], format!("{}/webhooks/acme", world.url));
    let taken = machine.json("POST", "/api/v1/sources", new).await.problem(422, "invalid");
    assert_eq!(taken["errors"][0]["field"], "name");

    let read = machine.get(&path).await;
    let listed = machine.get("/api/v1/sources").await;
    assert_eq!(listed.json()["items"][0], read.json());
    assert!(listed.json()["next_cursor"].is_null());
    let changed =
        machine.json("PATCH", &path, json!({"poll_interval_seconds": 30, "version": read.json()["version"]})).await;
    assert_eq!(changed.json()["poll_interval_seconds"], 30, "{changed:?}");
    let stale =
        machine.json("PATCH", &path, json!({"poll_interval_seconds": 40, "version": read.json()["version"]})).await;
    stale.problem(409, "conflict");

    let secrets = format!("{path}/webhook-secrets");
    let added = machine.json("POST", &secrets, json!({"secret": "whsec_another-secret-itself"})).await;
    assert_eq!((added.status, added.json()["webhook_secrets"].as_array().unwrap().len()), (201, 2), "{added:?}");
    let id = added.json()["webhook_secrets"][0]["id"].as_str().unwrap().to_owned();
    let retired = machine.call("DELETE", &format!("{secrets}/{id}")).await;
    assert_eq!((retired.status, retired.json()["webhook_secrets"].as_array().unwrap().len()), (200, 1), "{retired:?}");
    machine.call("DELETE", &format!("{secrets}/{id}")).await.problem(404, "not_found");
    for answer in [made, read, listed, changed, added, retired] {
        assert!(!answer.text.contains("secret-itself"), "{answer:?}");
    }
    world.stop().await;
}
