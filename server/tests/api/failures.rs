//! What failed, what was turned away, what is tried again and how long things are kept, over HTTP.

use crate::world::World;
use engine::clock::{Clock as _, id_at};
use serde_json::json;
use sqlx::PgPool;

/// Events of the source that rest as failed, a second apart, the newest now.
async fn failed(world: &World, pool: &PgPool, source: model::SourceId, n: i64) {
    for n in 0..n {
        let at = world.clock.now() - chrono::TimeDelta::seconds(n);
        let id = id_at(at);
        sqlx::query("insert into event (id, received_at, source_id, headers, body) values ($1, $2, $3, '[]', $4)")
            .bind(id)
            .bind(at)
            .bind(source.0)
            .bind(json!({"n": n, "password": "hunter2"}).to_string().into_bytes())
            .execute(pool)
            .await
            .unwrap();
        let attempts = json!([{
            "n": 1, "trigger": "arrival", "by": null, "started_at": at, "duration_ms": 1, "outcome": "failed", "status": null,
            "error": {"class": "internal", "message": "=It failed"},
        }]);
        sqlx::query(
            "insert into event_end (id, received_at, started_at, duration_ms, state, kind, attempts, failed_at)
             values ($1, $2, $2, 1, 'failed', 'sync.completed', $3, $2)",
        )
        .bind(id)
        .bind(at)
        .bind(attempts)
        .execute(pool)
        .await
        .unwrap();
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn failures_are_listed_counted_grouped_and_taken_away(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let source = world.source("acme").await;
    failed(&world, &pool, source.id, 5).await;
    let machine = world.machine();
    let page = machine.get("/api/v1/failures?limit=2&kind=processing").await.json();
    let first = &page["items"][0];
    assert_eq!((first["kind"].as_str(), first["source"].as_str()), (Some("processing"), Some("acme")), "{page}");
    assert_eq!(first["error"], json!({"class": "internal", "message": "=It failed"}));
    assert_eq!((first["attempts_count"].as_u64(), first["retryable"].as_bool()), (Some(1), Some(true)));
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = machine.get(&format!("/api/v1/failures?limit=3&kind=processing&cursor={cursor}")).await.json();
    assert_eq!((next["items"].as_array().unwrap().len(), next["next_cursor"].is_null()), (3, true), "{next}");
    let csv = machine.get("/api/v1/failures?format=csv").await;
    assert_eq!(csv.text.lines().count(), 1 + 5);
    assert!(csv.text.contains("'=It failed"), "{}", csv.text);

    let summary = machine.get("/api/v1/failures/summary?kind=gap").await.json();
    assert_eq!(summary, json!({"counts": {"processing": 5}, "hints": [], "errors": [], "connections": []}));
    let summary = machine.get("/api/v1/failures/summary?error=tls").await.json();
    assert_eq!((&summary["counts"], &summary["errors"]), (&json!({}), &json!(["internal"])), "what can be filtered by");
    let groups = machine.get("/api/v1/failures/groups").await.json();
    assert_eq!((groups["items"][0]["count"].as_u64(), groups["items"][0]["source"].as_str()), (Some(5), Some("acme")));

    for wrong in ["kind=colour", "since=yesterday", "colour=red", "endpoint=x", "limit=0", "cursor=%21", "path=a"] {
        machine.get(&format!("/api/v1/failures?{wrong}")).await.problem(422, "invalid");
    }
    world.anonymous().get("/api/v1/failures").await.problem(401, "unauthenticated");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn many_are_tried_again_over_http(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let source = world.source("acme").await;
    failed(&world, &pool, source.id, 5).await;
    let machine = world.machine();
    let wish = json!({"filter": {"kind": ["processing"], "source": "acme"}, "dry_run": true});
    let preview = machine.json("POST", "/api/v1/retries", wish).await;
    assert_eq!((preview.status, preview.json()["total"].as_i64()), (200, Some(5)), "{preview:?}");
    assert!(preview.json()["id"].is_null());
    let started = machine.json("POST", "/api/v1/retries", json!({"filter": {"source": ["acme"]}, "rate": 50})).await;
    assert_eq!(started.status, 202, "{started:?}");
    let retry = started.json();
    assert_eq!((retry["state"].as_str(), retry["remaining"].as_i64()), (Some("running"), Some(5)));
    let path = format!("/api/v1/retries/{}", retry["id"].as_str().unwrap());
    let paused = machine.json("PATCH", &path, json!({"state": "paused", "rate": 10})).await.json();
    assert_eq!((paused["state"].as_str(), paused["rate"].as_i64()), (Some("paused"), Some(10)));
    machine.json("PATCH", &path, json!({"state": "done"})).await.problem(422, "invalid");
    machine.json("PATCH", &path, json!({"rate": 0})).await.problem(422, "invalid");
    let cancelled = machine.call("DELETE", &path).await.json();
    assert_eq!((&cancelled["state"], cancelled["let_go"].is_i64()), (&json!("cancelled"), true), "{cancelled}");
    machine.call("DELETE", &path).await.problem(409, "conflict");
    assert_eq!(machine.get(&path).await.json()["by"], "test");
    machine.json("POST", "/api/v1/retries", json!({"filter": {"kind": "gap"}})).await.problem(422, "invalid");
    machine.json("POST", "/api/v1/retries", json!({"filter": {"limit": "5"}})).await.problem(422, "invalid");
    let nobody = format!("/api/v1/retries/{}", uuid::Uuid::nil());
    machine.get(&nobody).await.problem(404, "not_found");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_message_that_was_not_sent_is_a_failure_like_others(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let (machine, now) = (world.machine(), world.clock.now());
    let (channel, id) = (id_at(now), id_at(now));
    sqlx::query("insert into channel (id, name, kind, settings, created_at) values ($1, 'ops', 'webhook', '{}', $2)")
        .bind(channel)
        .bind(now)
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query(
        "insert into notification (id, channel_id, alert_ids, reason, subject, content, state, created_at, failed_at, error_class,
                                   error_message)
         values ($1, $2, '{}', 'first', 'Acme must sign in again', $4, 'failed', $3, $3, 'gone', 'The address is gone')",
    )
    .bind(id)
    .bind(channel)
    .bind(now)
    .bind(serde_json::to_value(engine::notify::sample("ops", "https://linewatch.example", now)).unwrap())
    .execute(&pool)
    .await
    .unwrap();
    let page = machine.get("/api/v1/failures?kind=notification").await.json();
    let one = &page["items"][0];
    assert_eq!((one["id"].as_str(), one["channel"]["name"].as_str()), (Some(&*id.to_string()), Some("ops")), "{page}");
    assert_eq!((one["what"].as_str(), one["endpoint"].is_null()), (Some("Acme must sign in again"), true));
    assert_eq!(one["error"], json!({"class": "gone", "message": "The address is gone"}));
    let csv = machine.get("/api/v1/failures?kind=notification&format=csv").await;
    assert!(csv.text.contains("channel.name") && csv.text.contains("ops"), "{}", csv.text);
    let shown = machine.get(&format!("/api/v1/notifications/{id}")).await.json();
    assert!(shown["text"].as_str().is_some_and(|text| text.contains("https://linewatch.example")), "{shown}");
    let wish = json!({"filter": {"kind": "notification"}, "dry_run": true});
    let preview = machine.json("POST", "/api/v1/retries", wish).await.json();
    assert_eq!((preview["total"].as_i64(), preview["let_go"].as_i64()), (Some(1), Some(0)), "{preview}");
    let rule = json!({"name": "Untold", "when": {"kind": "failed_webhooks", "failures": ["notification"], "at_least": 1, "window_seconds": 600}});
    let wrong = machine.json("POST", "/api/v1/rules", rule).await.problem(422, "invalid");
    assert_eq!(wrong["errors"][0]["field"], "when.failures", "a message is no webhook: {wrong}");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn payloads_are_revealed_and_retention_is_set(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let source = world.source("acme").await;
    failed(&world, &pool, source.id, 1).await;
    let machine = world.machine();
    let id = machine.get("/api/v1/failures").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = machine.get(&format!("/api/v1/events/{id}")).await.json();
    assert_eq!(shown["payload"], r#"{"n":0,"password":"•••"}"#, "{shown}");
    let revealed = machine.call("POST", &format!("/api/v1/events/{id}/reveal")).await;
    assert_eq!((revealed.status, &revealed.json()["json"]["password"]), (200, &json!("hunter2")), "{revealed:?}");

    let kept = machine.get("/api/v1/retention").await.json();
    assert_eq!((kept["events_days"].as_u64(), kept["version"].as_i64()), (Some(90), Some(0)));
    let patch = json!({"events_days": 30, "version": 0});
    let changed = machine.json("PATCH", "/api/v1/retention", patch.clone()).await.json();
    assert_eq!((changed["events_days"].as_u64(), changed["version"].as_i64()), (Some(30), Some(1)), "{changed}");
    machine.json("PATCH", "/api/v1/retention", patch).await.problem(409, "conflict");
    let wrong = machine.json("PATCH", "/api/v1/retention", json!({"gaps_days": 0})).await.problem(422, "invalid");
    assert_eq!(wrong["errors"][0]["field"], "gaps_days");

    // nothing is hidden any more of what comes from now on; what was stays so, whichever way it is looked for
    let none = machine.json("PATCH", "/api/v1/retention", json!({"redacted_fields": []})).await.json();
    assert_eq!(none["redacted_fields"], json!([]), "{none}");
    world.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(machine.get(&format!("/api/v1/events/{id}")).await.json()["payload"], shown["payload"]);
    failed(&world, &pool, source.id, 1).await;
    for query in ["q=hunter2", "q=hunter2&path=password"] {
        let page = machine.get(&format!("/api/v1/failures?{query}")).await.json();
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{page}");
        assert_ne!(page["items"][0]["id"], json!(id), "{page}");
        let csv = machine.get(&format!("/api/v1/failures?{query}&format=csv")).await;
        assert_eq!((csv.text.lines().count(), csv.text.contains(&id)), (2, false), "{}", csv.text);
    }
    let csv = machine.get("/api/v1/events?format=csv").await;
    assert!(csv.text.contains(&id) && !csv.text.contains("hunter2"), "{}", csv.text);
    let revealed = machine.call("POST", &format!("/api/v1/events/{id}/reveal")).await;
    assert_eq!(revealed.json()["payload"], r#"{"n":0,"password":"hunter2"}"#, "{revealed:?}");
    for path in ["rejections", "gaps"] {
        machine.get(&format!("/api/v1/{path}/{}", uuid::Uuid::nil())).await.problem(404, "not_found");
    }
    machine.get(&format!("/api/v1/sources/{}/makini-deliveries", uuid::Uuid::nil())).await.problem(404, "not_found");
    world.stop().await;
}
