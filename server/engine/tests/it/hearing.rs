//! Webhooks: from the door to the state.

use crate::world::{World, admin};
use chrono::TimeDelta;
use model::{AttemptOutcome, Backend, CadenceFrom, Cause, Event, EventQuery, EventState, Eye, Health};
use serde_json::json;
use sqlx::PgPool;

async fn events(world: &World) -> Vec<Event> {
    world.desk.events(&admin(), EventQuery::default()).await.unwrap().items
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_webhook_acts_at_once_and_is_confirmed_by_a_check(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    world.act(&one.key, "change_credentials").await;
    let accepted = world
        .hear(&json!({
            "id": "evt_1", "event": "connection.reauthorization_required", "timestamp": world.clock.now(),
            "connection_id": one.key, "data": {"error": {"code": "REAUTHORIZATION_REQUIRED", "message": "invalid login"}},
        }))
        .await
        .unwrap();
    assert!(!accepted.duplicate);
    world.processor.step().await.unwrap();
    let heard = world.connection(one.id).await.connection;
    assert_eq!((heard.health, heard.proof.unwrap().eye), (Health::ReauthorizationRequired, Eye::Webhook));
    assert_eq!(heard.cause.unwrap().code, Cause::CredentialsChanged);
    world.settle().await;
    assert_eq!(world.connection(one.id).await.connection.proof.unwrap().eye, Eye::Check);
    let event = &events(&world).await[0];
    assert_eq!((event.id, event.state, event.connection_id), (accepted.id, EventState::Processed, Some(one.id)));
    assert_eq!((event.attempts.len(), event.attempts[0].outcome), (1, AttemptOutcome::Ok));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_lie_is_undone_by_the_check_it_triggers(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let lie = json!({"id": "evt_lie", "event": "connection.status_changed", "timestamp": world.clock.now(),
        "connection_id": one.key, "data": {"status": "offline"}});
    world.hear(&lie).await.unwrap();
    world.processor.step().await.unwrap();
    assert_eq!(world.connection(one.id).await.connection.health, Health::Offline);
    world.settle().await;
    assert_eq!(world.connection(one.id).await.connection.health, Health::Healthy);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_old_event_is_superseded_and_moves_nothing(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let old = json!({"id": "evt_old", "event": "connection.status_changed",
        "timestamp": world.clock.now() - TimeDelta::minutes(10), "connection_id": one.key, "data": {"status": "offline"}});
    world.hear(&old).await.unwrap();
    world.processor.step().await.unwrap();
    let after = world.connection(one.id).await;
    assert_eq!(after.connection.health, Health::Healthy);
    assert!(after.checking, "it disagrees, so the check decides");
    assert_eq!(events(&world).await[0].state, EventState::Superseded);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_stamp_from_the_future_silences_no_later_event(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let far = json!({"id": "evt_far", "event": "sync.completed", "timestamp": "2099-01-01T00:00:00Z",
        "connection_id": one.key, "data": {}});
    world.hear(&far).await.unwrap();
    world.processor.step().await.unwrap();
    let heard = world.connection(one.id).await.connection;
    assert!(heard.last_good_sync_at.unwrap() <= world.clock.now(), "a stamp is no promise");
    let offline = json!({"id": "evt_next", "event": "connection.status_changed", "timestamp": world.clock.now(),
        "connection_id": one.key, "data": {"status": "offline"}});
    world.hear(&offline).await.unwrap();
    world.processor.step().await.unwrap();
    assert_eq!(world.connection(one.id).await.connection.health, Health::Offline);
    assert!(events(&world).await.iter().all(|event| event.state == EventState::Processed));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_stamp_from_the_future_that_is_stored_already_is_put_right_by_the_next_round(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    sqlx::query("update connection_proof set event_at = '2099-01-01'").execute(&world.pool).await.unwrap();
    world.round().await;
    assert_eq!(world.count("connection_proof where event_at > now() + interval '1 minute'").await, 0);
    assert_eq!(world.connection(one.id).await.connection.version, one.version, "nothing that is shown has changed");
    let offline = json!({"id": "evt_next", "event": "connection.status_changed", "timestamp": world.clock.now(),
        "connection_id": one.key, "data": {"status": "offline"}});
    world.hear(&offline).await.unwrap();
    world.processor.step().await.unwrap();
    assert_eq!(world.connection(one.id).await.connection.health, Health::Offline);
    assert_eq!(events(&world).await[0].state, EventState::Processed);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_goes_down_and_comes_back_again_and_again_is_unstable(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    for (n, status) in ["offline", "online"].iter().cycle().take(8).enumerate() {
        let word = json!({"id": format!("evt_{n}"), "event": "connection.status_changed", "timestamp": world.clock.now(),
            "connection_id": one.key, "data": {"status": status}});
        world.hear(&word).await.unwrap();
        world.processor.step().await.unwrap();
        let shown = world.connection(one.id).await.connection;
        match (n, *status) {
            (6.., _) => assert_eq!(shown.cause.unwrap().code, Cause::Flapping, "the fourth time it went down"),
            (_, "offline") => assert_eq!(shown.health, Health::Offline),
            _ => assert_eq!(shown.health, Health::Healthy),
        }
    }
    assert_eq!(world.connection(one.id).await.connection.health, Health::Unstable, "it is up, and has flapped");
    sqlx::query("update connection set flips = array(select flip - interval '11 minutes' from unnest(flips) as flip), judge_due_at = now()")
        .execute(&world.pool)
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.connection(one.id).await.connection.health, Health::Healthy, "calm for ten minutes");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_cadence_that_nobody_set_is_learned_from_its_good_syncs(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    let start = world.clock.now() - TimeDelta::minutes(10);
    sqlx::query("update connection_proof set last_good_sync_at = $1, rhythm = '{}', syncs = 0")
        .bind(start)
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.connection(one.id).await.connection.cadence_from, Some(CadenceFrom::Set), "as the source says");
    for minute in 1..=6 {
        let good = json!({"id": format!("evt_{minute}"), "event": "sync.completed", "timestamp": world.clock.now(),
            "connection_id": one.key, "data": {"finished_at": start + TimeDelta::minutes(minute)}});
        world.hear(&good).await.unwrap();
        world.processor.step().await.unwrap();
    }
    let shown = world.connection(one.id).await.connection;
    assert_eq!((shown.cadence_seconds, shown.cadence_from), (Some(60), Some(CadenceFrom::Learned)));
    assert_eq!(shown.version, one.version, "good syncs are no change that a person could act on");
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_event_has_an_end(pool: PgPool) {
    let world = World::new(pool, 5).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    for body in [
        json!({"id": "evt_known", "event": "sync.completed", "timestamp": world.clock.now(), "connection_id": one.key, "data": {}}),
        json!({"id": "evt_kind", "event": "invoice.enchanted", "timestamp": world.clock.now(), "connection_id": one.key}),
        json!({"id": "evt_stranger", "event": "sync.completed", "timestamp": world.clock.now(), "connection_id": "nobody"}),
        json!({"event": "assets.updated", "body": ["16c69269-0432-4382-b48f-eb3538b4b3d7"]}),
        json!(["not", "an", "object"]),
        json!("text"),
    ] {
        world.hear(&body).await.unwrap();
    }
    world.processor.step().await.unwrap();
    let all = events(&world).await;
    let state = |id: &str| all.iter().find(|event| event.webhook_id.as_deref() == Some(id)).unwrap().state;
    assert_eq!(state("evt_known"), EventState::Processed);
    assert_eq!(state("evt_kind"), EventState::Unrecognised);
    assert_eq!(state("evt_stranger"), EventState::Pending, "the next round may list it");
    assert_eq!(all.iter().filter(|event| event.webhook_id.is_none()).count(), 3);
    assert!(all.iter().filter(|event| event.webhook_id.is_none()).all(|event| event.state == EventState::Unrecognised));
    assert!(all.iter().find(|event| event.kind.as_deref() == Some("assets.updated")).unwrap().maybe_repeat);

    for _ in 0..6 {
        sqlx::query("update event_due set due_at = now()").execute(&world.pool).await.unwrap();
        world.processor.step().await.unwrap();
    }
    let all = events(&world).await;
    let stranger = all.iter().find(|event| event.webhook_id.as_deref() == Some("evt_stranger")).unwrap();
    assert_eq!((stranger.state, stranger.attempts.len()), (EventState::Failed, 6));
    assert_eq!(stranger.attempts[5].error.as_ref().unwrap().class, "unknown_connection");
    let again = world.desk.retry_event(&admin(), stranger.id).await.unwrap();
    assert_eq!(again.event.state, EventState::Pending);
    let done = all.iter().find(|event| event.webhook_id.as_deref() == Some("evt_known")).unwrap();
    assert!(world.desk.retry_event(&admin(), done.id).await.is_err(), "what is done is not done again");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_simulators_own_webhooks_are_understood(pool: PgPool) {
    let world = World::new(pool, 20).await;
    world.round().await;
    let one = world.a_healthy_one().await;
    // nobody listens, so the simulator keeps them: they are taken from there, byte for byte
    world.makini.set_webhook_url("http://127.0.0.1:9/".to_owned());
    for action in ["change_credentials", "reconnect", "finish_sync", "go_offline", "come_online", "fail_sync"] {
        world.act(&one.key, action).await;
    }
    let mut deliveries = world.makini.deliveries();
    deliveries.reverse();
    assert!(deliveries.len() >= 5, "{deliveries:?}");
    for delivery in deliveries {
        let body: serde_json::Value = serde_json::from_str(delivery.body.as_ref()).unwrap();
        world.hear(&body).await.unwrap();
        world.processor.step().await.unwrap();
    }
    assert!(
        events(&world).await.iter().all(|event| !matches!(event.state, EventState::Unrecognised | EventState::Failed))
    );
    world.settle().await;
    world.round().await;
    assert_eq!(world.connection(one.id).await.connection.health, Health::Failing);
}
