//! Rules and alerts, as machines ask for them.

use crate::world::World;
use serde_json::{Value, json};
use sqlx::PgPool;

const CONNECTION: &str = "0193a000-0000-7000-8000-000000000003";

/// A connection that went offline two days ago for an hour, and seventy minutes ago for good.
async fn offline(pool: &PgPool, source: &str) {
    for statement in [
        "insert into platform (slug, name) values ('sap-ecc', 'SAP ECC')".to_owned(),
        "insert into customer (id, key, name, created_at) values ('0193a000-0000-7000-8000-000000000004', 'name:Acme', 'Acme', now())"
            .to_owned(),
        format!(
            "insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
             authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, first_seen_at, \
             updated_at) values ('{CONNECTION}', '{source}', 'c1', 'Acme', '0193a000-0000-7000-8000-000000000004', 'sap-ecc', 'authorized', \
             now(), 'poll', 'offline', now(), 'poll', 'authorized', 'offline', 'offline', 1, now() - interval '70 minutes', 'acme', now(), now())"
        ),
        format!(
            "insert into transition (id, connection_id, at, from_health, to_health) select gen_random_uuid(), '{CONNECTION}', now() - back, \
             was, became from (values (interval '9 days', null, 'healthy'), ('2 days', 'healthy', 'offline'), \
             (interval '2 days' - interval '1 hour', 'offline', 'healthy'), ('70 minutes', 'healthy', 'offline')) as t (back, was, became)"
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(pool).await.unwrap();
    }
}

fn rule() -> Value {
    json!({"name": "Offline", "when": {"kind": "connection_health", "health": ["offline"]},
        "scope": {"platforms": ["sap-ecc"], "environments": ["production"]}, "for_seconds": 900, "severity": "critical"})
}

#[sqlx::test(migrations = "../migrations")]
async fn a_rule_is_tried_made_changed_and_taken_away(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let source = world.source("makini").await;
    offline(&pool, &source.id.to_string()).await;
    let machine = world.machine();

    let nameless =
        json!({"rule": {"name": "", "when": rule()["when"], "scope": rule()["scope"], "for_seconds": 900}, "days": 30});
    let tried = machine.json("POST", "/api/v1/rules/preview", nameless).await;
    assert_eq!(tried.status, 200, "{tried:?}");
    let preview = tried.json();
    assert_eq!((&preview["total"], &preview["subjects"], &preview["noise"]), (&json!(2), &json!(1), &json!(0)));
    let subject = json!({"kind": "connection", "id": CONNECTION, "name": "Acme · SAP ECC"});
    assert_eq!(
        (&preview["firings"][0]["subject"], &preview["firings"][0]["to"]),
        (&subject, &json!(null)),
        "{preview}"
    );
    let alternatives = preview["alternatives"].as_array().unwrap();
    let four_hours = alternatives.iter().find(|other| other["for_seconds"] == 14_400).unwrap();
    assert_eq!((&four_hours["firings"], &four_hours["missed"]), (&json!(0), &json!(2)), "{preview}");
    machine.json("POST", "/api/v1/rules/preview", json!({"rule": rule(), "days": 31})).await.problem(422, "invalid");

    let made = machine.json("POST", "/api/v1/rules", rule()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = made.header("location").unwrap().to_owned();
    let made = made.json();
    assert_eq!(
        made["sentence"],
        "When a connection of SAP ECC, production, is offline for 15 minutes: critical. Over after 5 minutes. Told again every 4 hours."
    );
    assert_eq!((&made["group_by"], &made["firing"], &made["version"]), (&json!("rule"), &json!(0), &json!(1)));
    machine.json("POST", "/api/v1/rules", rule()).await.problem(422, "invalid");
    assert_eq!(machine.get(&path).await.json(), made);

    let changed = machine.json("PATCH", &path, json!({"for_seconds": 600, "note": "Call them.", "version": 1})).await;
    assert_eq!((changed.status, &changed.json()["version"]), (200, &json!(2)), "{changed:?}");
    machine.json("PATCH", &path, json!({"for_seconds": 300, "version": 1})).await.problem(409, "conflict");
    let same = machine.json("PATCH", &path, json!({"for_seconds": 600})).await.json();
    assert_eq!(same["version"], 2, "what changes nothing is no change");
    let story = machine.get(&format!("{path}/changes")).await.json();
    assert_eq!(story["items"][0]["text"], "Patience: 15 minutes → 10 minutes; Says something else on what to do");
    assert!(story["items"][0]["sentence"].as_str().unwrap().contains("for 10 minutes"), "{story}");
    assert_eq!(machine.get("/api/v1/rules?format=csv").await.text.lines().count(), 2);

    assert_eq!(machine.call("DELETE", &path).await.status, 204);
    machine.get(&path).await.problem(404, "not_found");
    assert_eq!(machine.get(&format!("{path}/changes")).await.json()["items"].as_array().unwrap().len(), 3);
    assert_eq!(machine.json("POST", "/api/v1/rules", rule()).await.status, 201, "its name is free again");
    world.anonymous().get("/api/v1/rules").await.problem(401, "unauthenticated");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_wrong_with_a_rule_is_said_field_by_field(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    let fields = async |rule: Value| -> Vec<String> {
        let problem = machine.json("POST", "/api/v1/rules", rule).await.problem(422, "invalid");
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    };
    let when = json!({"kind": "connection_health"});
    assert_eq!(fields(json!({"name": "x", "when": when, "for_seconds": -1})).await, ["when.health", "for_seconds"]);
    let when = json!({"kind": "self_unwell", "percent": 5});
    assert_eq!(fields(json!({"name": "", "when": when})).await, ["name", "when.percent"]);
    let scope = json!({"platforms": ["nobody"], "customers": ["0193a000-0000-7000-8000-000000000009"]});
    let when = json!({"kind": "upstream_unwell"});
    assert_eq!(
        fields(json!({"name": "x", "when": when, "scope": scope})).await,
        ["scope.customers", "scope.platforms"]
    );
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn alerts_are_listed_taken_and_end(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let source = world.source("makini").await;
    offline(&pool, &source.id.to_string()).await;
    let machine = world.machine();
    let rule = machine.json("POST", "/api/v1/rules", rule()).await.json();
    let alerts = engine::alert::Evaluator::new(pool.clone(), world.clock.clone());
    alerts.step().await.unwrap();
    let list = machine.get(&format!("/api/v1/alerts?connection={CONNECTION}&state=firing")).await.json();
    let alert = &list["items"][0];
    assert_eq!((&alert["rule_id"], &alert["state"]), (&rule["id"], &json!("firing")), "{list}");
    assert!(alert["summary"].as_str().unwrap().starts_with("Offline"), "{alert}");
    let path = format!("/api/v1/alerts/{}", alert["id"].as_str().unwrap());
    assert_eq!(machine.get(&path).await.json(), *alert);
    let take = format!("{path}/acknowledge");
    let taken = machine.call("POST", &take).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    assert!(taken.json()["acknowledged_by"].is_string());
    assert_eq!(machine.call("POST", &take).await.json(), taken.json());
    assert_eq!(machine.get("/api/v1/alerts?format=csv").await.text.lines().count(), 2);
    machine.get("/api/v1/alerts?state=fine").await.problem(422, "invalid");
    let told = machine.get(&format!("/api/v1/connections/{CONNECTION}/told")).await.json();
    assert_eq!(told, json!({"items": [], "next_cursor": null}));
    let off = format!("/api/v1/rules/{}", rule["id"].as_str().unwrap());
    machine.json("PATCH", &off, json!({"enabled": false})).await;
    alerts.step().await.unwrap();
    assert_eq!(machine.get(&path).await.json()["state"], "resolved");
    assert_eq!(machine.get("/api/v1/alerts").await.json()["items"], json!([]));
    world.stop().await;
}
