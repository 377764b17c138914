//! The document is committed, and is what the doors do.

use crate::world::World;
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
    let document: serde_json::Value = serde_json::from_str(&server::api::openapi::text()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(schemas["Health"]["enum"], serde_json::to_value(model::Health::ALL).unwrap());
    assert_eq!(schemas["Actor"]["enum"], serde_json::to_value(model::CauseActor::ALL).unwrap());
    for (name, schema) in schemas {
        for word in schema["enum"].as_array().into_iter().flatten() {
            let word = word.as_str().unwrap();
            let said =
                word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.*".contains(&byte));
            assert!(said, "{name}: {word}");
        }
    }
    assert!(!document.to_string().contains("\"parameters\":null"), "who asks for nothing has no parameters");
}
