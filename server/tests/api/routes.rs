//! Who is told, and reasons not to tell.

use crate::world::World;
use chrono::TimeDelta;
use engine::clock::Clock as _;
use serde_json::{Value, json};
use sqlx::PgPool;

async fn add(world: &World, body: Value) -> Value {
    let answer = world.machine().json("POST", "/api/v1/routes", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

async fn order(world: &World) -> Vec<(i64, String)> {
    let routes = world.machine().get("/api/v1/routes").await.json();
    let one = |route: &Value| (route["position"].as_i64().unwrap(), route["name"].as_str().unwrap().to_owned());
    routes["items"].as_array().unwrap().iter().map(one).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_place_that_is_taken_moves_the_others_down(pool: PgPool) {
    let world = World::new(pool).await;
    let a = add(&world, json!({"name": "a"})).await;
    assert_eq!((&a["position"], &a["continue"], &a["interval_seconds"]), (&json!(1), &json!(false), &json!(300)));
    add(&world, json!({"name": "b"})).await;
    let c = add(&world, json!({"name": "c", "position": 1, "match": {"platforms": ["sap"]}})).await;
    let names = |order: Vec<(i64, String)>| order.into_iter().map(|(_, name)| name).collect::<String>();
    assert_eq!(order(&world).await, [(1, "c".to_owned()), (2, "a".to_owned()), (3, "b".to_owned())]);
    let path = format!("/api/v1/routes/{}", c["id"].as_str().unwrap());
    let moved = world.machine().json("PATCH", &path, json!({"position": 3, "version": 1})).await;
    assert_eq!(moved.json()["position"], 3, "{moved:?}");
    assert_eq!(names(order(&world).await), "abc");
    world.machine().json("PATCH", &path, json!({"name": "d", "version": 1})).await.problem(409, "conflict");
    let first = format!("/api/v1/routes/{}", a["id"].as_str().unwrap());
    assert_eq!(world.machine().call("DELETE", &first).await.status, 204);
    assert_eq!(order(&world).await, [(1, "b".to_owned()), (2, "c".to_owned())]);
    world.machine().get(&first).await.problem(404, "not_found");
    let csv = world.machine().get("/api/v1/routes?format=csv").await;
    assert_eq!(csv.text.lines().count(), 3, "{}", csv.text);
    let wrong = json!({"name": "x", "channels": [uuid::Uuid::nil()]});
    world.machine().json("POST", "/api/v1/routes", wrong).await.problem(422, "invalid");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn the_explainer_says_why_nobody_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    let explained = world.machine().json("POST", "/api/v1/routes/explain", json!({"severity": "critical"})).await;
    assert_eq!(explained.status, 200, "{explained:?}");
    assert_eq!(explained.json()["stages"][0]["text"], "There is no route, so nobody is told.");
    add(&world, json!({"name": "only warnings", "match": {"severities": ["warning"]}})).await;
    let explained =
        world.machine().json("POST", "/api/v1/routes/explain", json!({"severity": "critical"})).await.json();
    assert_eq!(explained["stages"][0]["name"], "only warnings");
    assert!(explained["stages"][0]["text"].as_str().unwrap().contains("its severities"), "{explained}");
    let nobody = json!({"alert_id": uuid::Uuid::nil()});
    world.machine().json("POST", "/api/v1/routes/explain", nobody).await.problem(404, "not_found");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn silences_and_maintenance_have_author_reason_and_end(pool: PgPool) {
    let world = World::new(pool).await;
    let ends = world.clock.now() + TimeDelta::hours(2);
    let wrong = json!({"reason": "", "ends_at": world.clock.now()});
    let problem = world.machine().json("POST", "/api/v1/silences", wrong).await.problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
    let preview = json!({"reason": "known", "ends_at": ends, "dry_run": true});
    assert_eq!(world.machine().json("POST", "/api/v1/silences", preview).await.json()["muting"], 0);
    let made =
        world.machine().json("POST", "/api/v1/silences", json!({"reason": "known", "ends_at": ends})).await.json();
    assert_eq!((&made["by"], &made["words"]), (&json!("test"), &json!("every alert")));
    let path = format!("/api/v1/silences/{}", made["id"].as_str().unwrap());
    assert_eq!(world.machine().get(&path).await.json()["reason"], "known");
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(world.machine().call("DELETE", &path).await.status, 204);
    world.machine().get(&path).await.problem(404, "not_found");

    let recurrence = json!({"weekdays": ["sunday"], "at": "02:30:00", "seconds": 3600, "time_zone": "Europe/Atlantis"});
    let mut weekly =
        json!({"reason": "patches", "ends_at": world.clock.now() + TimeDelta::days(60), "recurrence": recurrence});
    let problem = world.machine().json("POST", "/api/v1/maintenance", weekly.clone()).await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["field"], "recurrence.time_zone", "{problem}");
    weekly["recurrence"]["time_zone"] = json!("Europe/Berlin");
    let made = world.machine().json("POST", "/api/v1/maintenance", weekly).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert!(made["next_at"].is_string(), "{made}");
    assert_eq!(
        (&made["coming"][0]["starts_at"], made["coming"].as_array().unwrap().len()),
        (&made["next_at"], 3),
        "{made}"
    );
    assert!(made["coming"][0]["local_start"].as_str().unwrap().ends_with("T02:30:00"), "{made}");
    let path = format!("/api/v1/maintenance/{}", made["id"].as_str().unwrap());
    assert_eq!(world.machine().get(&path).await.json()["by"], "test");
    assert_eq!(world.machine().call("DELETE", &path).await.status, 204);
    world.stop().await;
}
