//! Endpoints and deliveries, as machines ask for them.

use crate::world::World;
use serde_json::json;
use sqlx::PgPool;

const NOWHERE: &str = "0193a000-0000-7000-8000-000000000009";

#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_is_made_read_changed_rotated_and_taken_away(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    let new = json!({"name": "orders", "url": "https://hooks.example.com/in", "filter": {"kinds": ["sync.failed"]}});
    let made = machine.json("POST", "/api/v1/endpoints", new.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let endpoint = made.json();
    let path = format!("/api/v1/endpoints/{}", endpoint["id"].as_str().unwrap());
    assert_eq!(made.header("location"), Some(path.as_str()));
    let secret = endpoint["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    assert_eq!((&endpoint["health"], &endpoint["waiting"]), (&json!("healthy"), &json!(0)));
    assert_eq!(
        (&endpoint["concurrency"], &endpoint["enabled"], &endpoint["ordered"]),
        (&json!(10), &json!(true), &json!(false))
    );

    let read = machine.get(&path).await.json();
    assert_eq!((&read["secret"], &read["filter"]["kinds"]), (&json!(null), &json!(["sync.failed"])), "told once");
    assert_eq!(read["secrets"][0]["hint"].as_str().unwrap(), &secret[secret.len() - 4..]);
    assert_eq!(machine.get("/api/v1/endpoints").await.json()["items"], json!([read]));
    assert_eq!(machine.get("/api/v1/endpoints?format=csv").await.text.lines().count(), 2);

    let stale = json!({"ordered": true, "version": 99});
    machine.json("PATCH", &path, stale).await.problem(409, "conflict");
    let change = json!({"ordered": true, "enabled": false, "rate_per_second": 5, "version": read["version"]});
    let changed = machine.json("PATCH", &path, change).await.json();
    assert_eq!((&changed["ordered"], &changed["health"]), (&json!(true), &json!("disabled")), "{changed}");
    let unlimited = machine.json("PATCH", &path, json!({"rate_per_second": null})).await.json();
    assert_eq!(unlimited["rate_per_second"], json!(null));

    let rotated = machine.call("POST", &format!("{path}/secret")).await;
    assert_eq!(rotated.status, 201, "{rotated:?}");
    let rotated = rotated.json();
    assert!(rotated["secret"] != endpoint["secret"] && rotated["secrets"].as_array().unwrap().len() == 2, "{rotated}");
    assert!(rotated["secrets"][0]["expires_at"].is_null() && rotated["secrets"][1]["expires_at"].is_string());

    assert_eq!(machine.call("DELETE", &path).await.status, 204);
    machine.get(&path).await.problem(404, "not_found");
    machine.call("DELETE", &path).await.problem(404, "not_found");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_cannot_be_is_refused_by_field(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    for (new, field) in [
        (json!({"name": "a", "url": "https://127.0.0.1/in"}), "url"),
        (json!({"name": "a", "url": "http://hooks.example.com/in"}), "url"),
        (json!({"name": " ", "url": "https://hooks.example.com/in"}), "name"),
        (json!({"name": "a", "url": "https://hooks.example.com/in", "concurrency": 0}), "concurrency"),
        (json!({"name": "a", "url": "https://hooks.example.com/in", "filter": {"sources": [NOWHERE]}}), "filter"),
        (json!({"name": "a", "url": "https://hooks.example.com/in", "filter": {"platforms": ["nothing"]}}), "filter"),
    ] {
        let problem = machine.json("POST", "/api/v1/endpoints", new).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], json!(field), "{problem}");
    }
    machine
        .json("POST", "/api/v1/endpoints", json!({"name": "a", "url": "https://x.example/", "colour": 1}))
        .await
        .problem(422, "invalid");
    machine.call("POST", &format!("/api/v1/endpoints/{NOWHERE}/test")).await.problem(404, "not_found");
    world.anonymous().get("/api/v1/endpoints").await.problem(401, "unauthenticated");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn deliveries_are_listed_read_and_retried(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let machine = world.machine();
    let made = machine
        .json("POST", "/api/v1/endpoints", json!({"name": "a", "url": "https://hooks.example.com/"}))
        .await
        .json();
    let endpoint = made["id"].as_str().unwrap();
    for (n, state) in [(1, "failed"), (2, "done"), (3, "failed")] {
        sqlx::query(
            "insert into delivery (id, received_at, event_id, endpoint_id, kind, state, started_at, duration_ms, failed_at,
                                   error_class, error_message, attempts)
             select overlay(i::text placing lpad(to_hex(floor(extract(epoch from now()) * 1000)::bigint), 12, '0') from 1 for 0)::uuid,
                    now(), gen_random_uuid(), $1::uuid, 'sync.failed', $2, now(), 12, case when $2 = 'failed' then now() end, null, null, '[]'
             from (select $3::text as i) as t",
        )
        .bind(endpoint)
        .bind(state)
        .bind(format!("70008000{n:012}"))
        .execute(&pool)
        .await
        .unwrap();
    }
    let failed = machine.get(&format!("/api/v1/deliveries?state=failed&endpoint={endpoint}")).await.json();
    let items = failed["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["endpoint"], &items[0]["state"]),
        (2, &json!("a"), &json!("failed")),
        "{failed}"
    );
    let page = machine.get("/api/v1/deliveries?limit=2").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = machine.get(&format!("/api/v1/deliveries?limit=2&cursor={cursor}")).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &json!(null)));
    assert_eq!(machine.get("/api/v1/deliveries?format=csv").await.text.lines().count(), 4);
    machine.get("/api/v1/deliveries?state=fine").await.problem(422, "invalid");

    let path = format!("/api/v1/deliveries/{}", items[0]["id"].as_str().unwrap());
    assert_eq!(machine.get(&path).await.json(), items[0]);
    let retried = machine.call("POST", &format!("{path}/retry")).await;
    assert_eq!((retried.status, &retried.json()["state"]), (202, &json!("pending")), "{retried:?}");
    assert_eq!(machine.get("/api/v1/endpoints").await.json()["items"][0]["waiting"], json!(1));
    let done = machine.get("/api/v1/deliveries?state=done").await.json();
    let done = done["items"][0]["id"].as_str().unwrap();
    machine.call("POST", &format!("/api/v1/deliveries/{done}/retry")).await.problem(409, "conflict");
    machine.get(&format!("/api/v1/deliveries/{NOWHERE}")).await.problem(404, "not_found");
    world.stop().await;
}
