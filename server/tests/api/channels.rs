//! By what means people are told, and the links in what they are told.

use crate::world::World;
use chrono::{DateTime, Utc};
use engine::clock::{Clock as _, new_id};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

/// Somebody who answers everything with this status.
async fn receiver(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    let routes = axum::Router::new().fallback(move || async move { status });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn world(pool: PgPool) -> World {
    World::with(pool, &[("LINEWATCH_OUTBOUND_ALLOW", "127.0.0.0/8")]).await
}

async fn add(world: &World, body: Value) -> Value {
    let answer = world.machine().json("POST", "/api/v1/channels", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(answer.header("location").unwrap().starts_with("/api/v1/channels/"));
    answer.json()
}

#[sqlx::test(migrations = "../migrations")]
async fn the_first_channel_gets_a_route_and_its_secret_is_told_once(pool: PgPool) {
    let world = world(pool).await;
    let url = receiver(204).await;
    let made = add(&world, json!({"name": "hook", "kind": "webhook", "settings": {"url": url}})).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("/api/v1/channels/{}", made["id"].as_str().unwrap());
    let read = world.machine().get(&path).await.json();
    assert_eq!((&read["secret"], &read["health"]), (&json!(null), &json!("untried")));
    let routes = world.machine().get("/api/v1/routes").await.json();
    assert_eq!(routes["items"][0]["channels"], json!([made["id"]]), "{routes}");

    let test = world.machine().call("POST", &format!("{path}/test")).await;
    assert_eq!(test.status, 200, "{test:?}");
    let test = test.json();
    assert_eq!(
        (&test["reason"], &test["state"], &test["attempts"][0]["status"]),
        (&json!("test"), &json!("sent"), &json!(204))
    );
    assert_eq!(world.machine().get(&path).await.json()["health"], "healthy");

    let slack = "http://127.0.0.1:9/services/T000/B000/very-secret";
    let other = json!({"name": "team", "kind": "slack", "settings": {"webhook_url": slack}, "fallback_id": made["id"]});
    let team = add(&world, other).await;
    assert!(!team.to_string().contains("very-secret"), "{team}");
    let test = world.machine().call("POST", &format!("/api/v1/channels/{}/test", team["id"].as_str().unwrap())).await;
    assert_eq!(test.json()["state"], "failed");
    for path in
        ["/api/v1/channels", "/api/v1/channels?format=csv", "/api/v1/notifications", "/api/v1/notifications?format=csv"]
    {
        let answer = world.machine().get(path).await;
        assert!(answer.status == 200 && !answer.text.contains("very-secret"), "{answer:?}");
    }
    world.machine().call("DELETE", &path).await.problem(409, "conflict");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_cannot_work_is_refused_when_it_is_saved(pool: PgPool) {
    let world = World::new(pool).await;
    for (body, field) in [
        (json!({"name": "a", "kind": "webhook", "settings": {"url": "https://10.0.0.1/"}}), "url"),
        (json!({"name": "a", "kind": "slack", "settings": {}}), "settings.webhook_url"),
        (json!({"name": "a", "kind": "slack", "settings": {"webhook_url": "https://127.0.0.1/x"}}), "url"),
        (json!({"name": "a", "kind": "email", "settings": {"to": ["ops@example.com"]}}), "kind"),
        (json!({"name": " ", "kind": "webhook", "settings": {"url": "https://hooks.example.com/"}}), "name"),
    ] {
        let problem = world.machine().json("POST", "/api/v1/channels", body).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    world.anonymous().get("/api/v1/channels").await.problem(401, "unauthenticated");
    world.stop().await;
}

/// A link in a message, with the alert that it is about.
async fn link(world: &World, purpose: &str) -> String {
    let (rule, alert, group, now) = (new_id(), new_id(), new_id(), world.clock.now());
    let token = engine::reconnect::fresh();
    let pool = &world.parts.pool;
    let run = |sql: &'static str| sqlx::query(sql).bind(rule).bind(alert).bind(group).bind(now);
    run("with given as (select $2::uuid, $3::uuid) insert into rule (id, name, condition, scope, for_seconds, hold_seconds, severity, group_by, \
         repeat_seconds, enabled, created_at, updated_at, updated_by) values ($1, $1::text, '{}', '{}', 0, 0, 'critical', 'rule', 0, true, $4, $4, 'x')")
        .execute(pool)
        .await
        .unwrap();
    run("with given as (select $3::uuid) insert into alert (id, rule_id, subject_kind, subject_id, subject_name, summary, state, since, fired_at, \
         updated_at) values ($2, $1, 'endpoint', 'e', 'Orders & <more>', 'It fails', 'firing', $4, $4, $4)")
        .execute(pool)
        .await
        .unwrap();
    run("with given as (select $1::uuid, $4::timestamptz) insert into alert_group (id, route_id, key, alerts) values ($3, $3, 'k', array[$2::uuid])")
        .execute(pool)
        .await
        .unwrap();
    let expires: DateTime<Utc> = now + chrono::TimeDelta::days(7);
    sqlx::query("insert into alert_link (token_hash, group_id, purpose, expires_at) values ($1, $2, $3, $4)")
        .bind(&engine::reconnect::hash_of(&token)[..])
        .bind(group)
        .bind(purpose)
        .bind(expires)
        .execute(pool)
        .await
        .unwrap();
    format!("/a/{token}")
}

#[sqlx::test(migrations = "../migrations")]
async fn a_link_does_nothing_until_somebody_who_signed_in_confirms(pool: PgPool) {
    let world = World::new(pool).await;
    let path = link(&world, "acknowledge").await;
    let scanner = world.anonymous().browsing().get(&path).await;
    assert_eq!((scanner.status, scanner.header("location").unwrap().starts_with("/login?next=%2Fa%2F")), (303, true));
    let admin = world.admin().await.browsing();
    let page = admin.get(&path).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.text.contains("Orders &amp; &lt;more&gt;") && page.text.contains("<form method=\"post\">"),
        "{}",
        page.text
    );
    let taken = |world: &World| {
        let pool = world.parts.pool.clone();
        async move {
            let by: Option<String> =
                sqlx::query_scalar("select acknowledged_by from alert").fetch_one(&pool).await.unwrap();
            by
        }
    };
    assert_eq!(taken(&world).await, None, "looking changes nothing");
    assert_eq!(world.anonymous().form(&path, &[]).await.status, 303, "who is not signed in does so first");
    assert_eq!(taken(&world).await, None);
    let done = admin.form(&path, &[]).await;
    assert!(done.status == 200 && done.text.contains("One alert is yours now"), "{done:?}");
    assert!(taken(&world).await.is_some());
    let again = admin.form(&path, &[]).await;
    assert_eq!(again.status, 410, "{again:?}");
    assert!(admin.get(&path).await.text.contains("<button disabled>"));
    assert_eq!(admin.get("/a/of-nobody").await.status, 404);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_link_silences_for_as_long_as_is_chosen(pool: PgPool) {
    let world = World::new(pool).await;
    let path = link(&world, "silence").await;
    let admin = world.admin().await.browsing();
    assert!(admin.get(&path).await.text.contains("<select name=\"hours\">"));
    let done = admin.form(&path, &[("hours", "4")]).await;
    assert!(done.status == 200 && done.text.contains("Silenced"), "{done:?}");
    let silences = world.machine().get("/api/v1/silences").await.json();
    let ends: DateTime<Utc> = silences["items"][0]["ends_at"].as_str().unwrap().parse().unwrap();
    assert_eq!((ends - world.clock.now()).num_hours(), 4);
    world.stop().await;
}
