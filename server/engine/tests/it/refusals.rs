//! What a connection was really refused, or really did: told by webhooks and by asking for records, newest proof first.

use crate::world::{World, admin, calm};
use chrono::TimeDelta;
use engine::poll::RecordAsker;
use model::{Ability, AbilityProof, Backend, Capability, ConnectionId, Eye, Operation, PageQuery, TokenOwnership};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::sync::Arc;

async fn can(world: &World, id: ConnectionId, entity: &str, operation: Operation) -> Option<Capability> {
    let all = world.desk.capabilities(&admin(), id).await.unwrap();
    all.into_iter().find(|one| one.entity == entity && one.operation == operation)
}

/// A webhook about this connection, some seconds ago.
async fn hear(world: &World, key: &str, (id, event, ago): (&str, &str, i64), data: Value) {
    let at = world.clock.now() - TimeDelta::seconds(ago);
    let body = json!({"id": id, "event": event, "timestamp": at, "connection_id": key, "data": data});
    world.hear(&body).await.unwrap();
    world.settle().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_webhook_says_was_refused_outranks_the_description_with_its_proof(pool: PgPool) {
    let world = World::new(pool, 5).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let before = world.connection(one.id).await.connection;
    let described = can(&world, one.id, "purchase_orders", Operation::Create).await.map(|can| can.proof);

    let locked = json!({"error": {"code": "RECORD_LOCKED", "message": "takes no changes after approval", "status": 409},
        "operation": "update", "entities": ["purchase_orders"]});
    hear(&world, &one.key, ("evt_1", "system.error", 9), locked).await;
    let update = can(&world, one.id, "purchase_orders", Operation::Update).await.unwrap();
    assert_eq!((update.ability, update.limit.as_deref()), (Ability::Limited, Some("not after approval")));
    assert_eq!((update.proof, update.eye), (Some(AbilityProof::Refused), Some(Eye::Webhook)));
    assert_eq!(update.code.as_deref(), Some("RECORD_LOCKED"));
    assert!(update.proved_at.is_some() && update.message.unwrap().contains("after approval"));
    let event = world.desk.event(&admin(), update.event_id.expect("the event that told it")).await.unwrap();
    assert_eq!(event.event.webhook_id.as_deref(), Some("evt_1"));
    let seen = world.desk.evidence(&admin(), one.id, PageQuery::default()).await.unwrap().items;
    assert!(seen.iter().any(|seen| seen.text.starts_with("updating purchase orders was refused")), "{seen:?}");
    let after = world.connection(one.id).await.connection;
    assert_eq!((after.health, after.authorization), (before.health, before.authorization), "a limit is no illness");

    // an older refusal that comes later changes nothing, a newer one does
    let never = json!({"error": {"code": "OPERATION_NOT_SUPPORTED"}, "method": "PUT", "entity": "purchase-orders"});
    hear(&world, &one.key, ("evt_2", "system.error", 60), never.clone()).await;
    let update = can(&world, one.id, "purchase_orders", Operation::Update).await.unwrap();
    assert_eq!(update.code.as_deref(), Some("RECORD_LOCKED"));
    hear(&world, &one.key, ("evt_3", "system.error", 1), never).await;
    let update = can(&world, one.id, "purchase_orders", Operation::Update).await.unwrap();
    assert_eq!((update.ability, update.limit), (Ability::No, None));

    // what names no operation, or no single kind of record, proves nothing
    let vague = json!({"error": {"code": "PERMISSION_DENIED"}, "entities": ["purchase_orders"]});
    hear(&world, &one.key, ("evt_4", "system.error", 1), vague).await;
    let create = can(&world, one.id, "purchase_orders", Operation::Create).await;
    assert_eq!(create.as_ref().map(|can| can.proof), described.or(Some(None)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_later_good_sync_clears_what_a_failed_one_was_refused(pool: PgPool) {
    let world = World::new(pool, 5).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let refused = json!({"error": {"code": "PERMISSION_DENIED", "message": "no right"}, "entities": ["vendors"]});
    hear(&world, &one.key, ("evt_1", "sync.failed", 5), refused).await;
    let read = can(&world, one.id, "vendors", Operation::Read).await.unwrap();
    assert_eq!((read.ability, read.proof), (Ability::No, Some(AbilityProof::Refused)));
    assert_eq!((read.code.as_deref(), read.eye), (Some("PERMISSION_DENIED"), Some(Eye::Webhook)));
    assert!(read.event_id.is_some());
    hear(&world, &one.key, ("evt_2", "sync.completed", 0), json!({"entities": ["vendors"], "records": 3})).await;
    let read = can(&world, one.id, "vendors", Operation::Read).await.unwrap();
    assert_eq!((read.ability, read.proof, read.code), (Ability::Yes, Some(AbilityProof::Done), None));
}

#[sqlx::test(migrations = "../../migrations")]
async fn asking_for_records_proves_what_can_be_read(pool: PgPool) {
    let options = simulator::Options { connections: 5, dialect: simulator::Dialect::Openapi2025, ..calm() };
    let world = World::with_source(pool, options, |new| {
        new.settings.token_ownership = Some(TokenOwnership::Linewatch);
        new.settings.record_entities = Some(vec!["eam/assets".to_owned(), "eam/gizmos".to_owned()]);
    })
    .await;
    world.round().await;
    world.settle().await;
    let asker =
        RecordAsker::new(world.pool.clone(), Arc::clone(&world.clock), world.desk.upstreams.clone(), TimeDelta::zero());
    asker.step().await.unwrap();
    let real = |key: &str| world.makini.connection(key).is_some_and(|one| !one.sandbox && one.status == "active");
    let one = world.connections().await.into_iter().find(|one| real(&one.key)).expect("one is quiet");
    let due = |refused: &'static str| {
        let set = format!(
            "update record_ask set {refused} since = now() - interval '1 minute', asked_to = now(), \
            due_at = now() - interval '1 second' where connection_id = '{}'",
            one.id
        );
        let pool = world.pool.clone();
        async move {
            sqlx::query("update source set record_next_at = null").execute(&pool).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(set)).execute(&pool).await.unwrap();
        }
    };
    // refused the last time, but not for want of a right: no token was there to ask with
    due("asked_at = now(), refused = 'no token',").await;
    assert!(can(&world, one.id, "assets", Operation::Read).await.is_none_or(|can| can.eye.is_none()));
    due("asked_at = now() - interval '1 hour', refused = 'It answered 403', refused_status = 403, refused_code = 'PERMISSION_DENIED',").await;
    let read = can(&world, one.id, "assets", Operation::Read).await.unwrap();
    assert_eq!((read.ability, read.code.as_deref()), (Ability::No, Some("PERMISSION_DENIED")));

    asker.step().await.unwrap();
    let read = can(&world, one.id, "assets", Operation::Read).await.unwrap();
    assert_eq!((read.ability, read.proof, read.eye), (Ability::Yes, Some(AbilityProof::Done), Some(Eye::Poll)));
    assert_eq!(read.code, None);
    let read = can(&world, one.id, "gizmos", Operation::Read).await.unwrap();
    assert_eq!((read.ability, read.proof), (Ability::No, Some(AbilityProof::Refused)));
    assert!(read.message.unwrap().contains("404"));
    let update = can(&world, one.id, "gizmos", Operation::Update).await.unwrap();
    assert_eq!((update.ability, update.proof), (Ability::Unknown, None));
}
