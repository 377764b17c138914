//! The document is committed, and is what the doors do.

use crate::world::World;
use serde_json::{Value, json};
use sqlx::PgPool;

/// To bring it up to date: `linewatch openapi > server/openapi.json`.
#[test]
fn the_committed_document_is_up_to_date() {
    let committed = include_str!("../../openapi.json");
    assert!(committed == server::api::openapi::text(), "run: cargo run -p server -- openapi > server/openapi.json");
}

#[sqlx::test(migrations = "../migrations")]
async fn is_served_and_names_only_what_is_public(pool: PgPool) {
    let world = World::new(pool).await;
    let document = world.machine().get("/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"].as_object().unwrap().keys().all(|path| path.starts_with("/api/v1/")));
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|methods| methods.as_object().unwrap().values());
    let mut ids: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "operation ids are unique");
    world.stop().await;
}

/// What an enum is called in the document is what the API says and takes.
#[test]
fn words_are_documented_as_they_are_said() {
    let document: Value = serde_json::from_str(&server::api::openapi::text()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(schemas["Health"]["enum"], serde_json::to_value(model::Health::ALL).unwrap());
    assert_eq!(schemas["Actor"]["enum"], serde_json::to_value(model::CauseActor::ALL).unwrap());
    for (name, schema) in schemas {
        for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let said =
                word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.*".contains(&byte));
            assert!(said, "{name}: {word}");
        }
    }
    assert!(!document.to_string().contains("\"parameters\":null"), "who asks for nothing has no parameters");
}

/// Whoever makes a client of it finds everything that it names.
#[test]
fn whatever_is_named_is_there() {
    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| names(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| names(value, found)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(&server::api::openapi::text()).unwrap();
    let mut found = Vec::new();
    names(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for name in found {
        assert!(document.pointer(name.trim_start_matches('#')).is_some(), "{name}");
    }
    assert!(!document["components"]["schemas"]["NewSource"]["properties"]["late_factor"].is_null(), "{document}");
}

/// A filter that a form sends with nothing in it is none; of those that take one value the document says so.
#[sqlx::test(migrations = "../migrations")]
async fn a_filter_that_nobody_filled_in_is_none(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    let document = machine.get("/openapi.json").await.json();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        // the stream of changes has no end
        if path.contains('{') || path.ends_with("/changes") {
            continue;
        }
        for parameter in methods["get"]["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let list = parameter["schema"]["type"] == "array";
            assert_eq!(parameter["allowEmptyValue"] == true, !list, "{path} {name}");
            let answer = machine.get(&format!("{path}?{name}=")).await;
            assert_eq!(answer.status, 200, "{path}?{name}= {answer:?}");
            asked += 1;
        }
    }
    assert!(asked > 60, "{asked}");
    world.stop().await;
}

/// What the document says of how much and how long is what the API takes: each end is taken, one more is refused by name.
#[sqlx::test(migrations = "../migrations")]
async fn every_bound_is_kept_as_it_is_documented(pool: PgPool) {
    let world = World::new(pool).await;
    let machine = world.machine();
    let source = world.source("acme").await;
    let made = async |path: &str, new: Value| {
        let answer = machine.json("POST", path, new).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        format!("{path}/{}", answer.json()["id"].as_str().unwrap())
    };
    let endpoint = json!({"name": "orders", "url": "https://hooks.example.com/in"});
    let rule = json!({"name": "down", "when": {"kind": "connection_health", "health": ["offline"]}});
    let things = [
        ("SourcePatch", format!("/api/v1/sources/{}", source.id)),
        ("EndpointPatch", made("/api/v1/endpoints", endpoint).await),
        ("RoutePatch", made("/api/v1/routes", json!({"name": "all"})).await),
        ("RulePatch", made("/api/v1/rules", rule).await),
        ("RetentionPatch", "/api/v1/retention".to_owned()),
    ];
    let document: Value = serde_json::from_str(&server::api::openapi::text()).unwrap();
    let mut ends = 0;
    for (schema, path) in things {
        for (field, said) in document["components"]["schemas"][schema]["properties"].as_object().unwrap() {
            let number = |bound: &str| said[bound].as_f64().map(|end| end as i64);
            let text = |letters: i64| json!("x".repeat(usize::try_from(letters).unwrap()));
            let mut tries = Vec::new();
            tries.extend(number("minimum").map(|least| (json!(least), json!(least - 1))));
            tries.extend(number("maximum").map(|most| (json!(most), json!(most + 1))));
            // an address is not made of any letters
            if !field.ends_with("url") {
                tries.extend(number("maxLength").map(|most| (text(most), text(most + 1))));
            }
            for (last, beyond) in tries {
                let taken = machine.json("PATCH", &path, json!({field: last})).await;
                assert_eq!(taken.status, 200, "{schema}.{field} {last}: {taken:?}");
                let refused = machine.json("PATCH", &path, json!({field: beyond})).await.problem(422, "invalid");
                assert_eq!(refused["errors"][0]["field"], *field, "{schema}.{field} {beyond}: {refused}");
                ends += 1;
            }
        }
    }
    assert!(ends > 50, "{ends}");
    world.stop().await;
}
