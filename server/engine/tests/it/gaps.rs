//! What a webhook should have told and did not: expected, missed, and what comes after all.

use crate::world::{World, admin, calm};
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{SharedClock, TestClock},
    health::gap::{Came, Expected, GapKind},
    poll::RecordAsker,
    store::{
        gap::{came, expect, misses, step},
        record_event,
    },
    work::Step,
};
use model::{Backend, Connection, ConnectionId, PageQuery, Refusal, SourcePatch, TimelineKind, TokenOwnership};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::sync::Arc;

const WINDOW: TimeDelta = TimeDelta::minutes(10);

async fn tells(world: &World, last_at: DateTime<Utc>) {
    sqlx::query("insert into door_count (source_name, outcome, hour, n, last_at) values ('makini', 'taken', date_trunc('hour', $1, 'UTC'), 1, $1)")
        .bind(last_at)
        .execute(&world.pool)
        .await
        .unwrap();
}

async fn told(world: &World, id: ConnectionId) -> Vec<String> {
    let page = world.desk.timeline(&admin(), id, PageQuery::default()).await.unwrap();
    page.items.into_iter().filter(|item| item.kind == TimelineKind::Gap).map(|item| item.text).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_does_not_come_in_its_window_is_missed_and_may_come_after_all(pool: PgPool) {
    let world = World::new(pool, 3).await;
    world.round().await;
    let id = world.connections().await[0].id;
    let now = world.clock.now();
    let clock = TestClock::at(now);
    let shared: SharedClock = clock.clone();
    let sync = |seconds: i64| Expected {
        connection: id,
        kind: GapKind::SyncCompleted,
        happened_at: now + TimeDelta::seconds(seconds),
    };
    let mut conn = world.pool.acquire().await.unwrap();
    assert_eq!(expect(&mut conn, &[sync(0)], WINDOW, now).await.unwrap(), 0, "this source has never told anything");
    tells(&world, now - TimeDelta::hours(25)).await;
    assert_eq!(expect(&mut conn, &[sync(0)], WINDOW, now).await.unwrap(), 0, "nor lately");
    tells(&world, now - TimeDelta::hours(2)).await;
    let all = [sync(0), sync(60), sync(120)];
    assert_eq!(expect(&mut conn, &all, WINDOW, now).await.unwrap(), 3);
    assert_eq!(expect(&mut conn, &all, WINDOW, now).await.unwrap(), 0, "once");

    let came_at =
        |seconds: i64| Came { connection: id, kind: GapKind::SyncCompleted, at: now + TimeDelta::seconds(seconds) };
    came(&mut conn, &[came_at(64), came_at(64)], WINDOW, now).await.unwrap();
    assert_eq!(step(&world.pool, &shared, WINDOW).await.unwrap(), Step::Idle, "there is still time");
    clock.advance(WINDOW);
    assert_eq!(step(&world.pool, &shared, WINDOW).await.unwrap(), Step::Busy);
    assert_eq!(step(&world.pool, &shared, WINDOW).await.unwrap(), Step::Idle);
    assert_eq!(world.count("gap where missed_at is not null").await, 2);
    assert!(told(&world, id).await.iter().all(|text| text.contains("repaired by the poll at")));
    assert_eq!(told(&world, id).await.len(), 2);

    came(&mut conn, &[came_at(1)], WINDOW, clock_now(&shared)).await.unwrap();
    assert_eq!(world.count("gap where missed_at is not null and came_at is not null").await, 1);
    assert_eq!(told(&world, id).await.iter().filter(|text| text.ends_with("it came later")).count(), 1);
}

fn clock_now(clock: &SharedClock) -> DateTime<Utc> {
    clock.now()
}

#[sqlx::test(migrations = "../../migrations")]
async fn misses_in_a_row_end_with_whatever_comes(pool: PgPool) {
    let world = World::new(pool, 3).await;
    world.round().await;
    let id = world.connections().await[0].id;
    let now = world.clock.now();
    let clock = TestClock::at(now);
    let shared: SharedClock = clock.clone();
    tells(&world, now).await;
    let mut conn = world.pool.acquire().await.unwrap();
    for n in 0..3 {
        let happened_at = clock_now(&shared);
        let change = Expected { connection: id, kind: GapKind::StatusChanged, happened_at };
        assert_eq!(expect(&mut conn, &[change], WINDOW, happened_at).await.unwrap(), 1);
        clock.advance(WINDOW);
        assert_eq!(misses(&mut conn, &[id]).await.unwrap().get(&id).copied().unwrap_or(0), n);
        assert_eq!(step(&world.pool, &shared, WINDOW).await.unwrap(), Step::Busy);
    }
    assert_eq!(misses(&mut conn, &[id]).await.unwrap()[&id], 3);
    sqlx::query("update connection_proof set event_at = $1")
        .bind(clock_now(&shared))
        .execute(&world.pool)
        .await
        .unwrap();
    assert!(misses(&mut conn, &[id]).await.unwrap().is_empty(), "an event came");
    let sync = Expected {
        connection: id,
        kind: GapKind::SyncCompleted,
        happened_at: clock_now(&shared) + TimeDelta::seconds(4),
    };
    assert_eq!(expect(&mut conn, &[sync], WINDOW, clock_now(&shared)).await.unwrap(), 0, "that event told of it");
}

/// A source that asks for assets, in whose simulator webhooks are kept and never arrive.
async fn that_asks(pool: PgPool, ownership: TokenOwnership) -> (World, RecordAsker, Connection) {
    let options = simulator::Options { connections: 20, dialect: simulator::Dialect::Openapi2025, ..calm() };
    let world = World::with_source(pool, options, |new| {
        new.settings.token_ownership = Some(ownership);
        new.settings.record_entities = Some(vec!["eam/assets".to_owned()]);
    })
    .await;
    world.makini.set_webhook_url("http://127.0.0.1:9/".to_owned());
    world.round().await;
    world.settle().await;
    let shared: SharedClock = Arc::clone(&world.clock);
    let asker = RecordAsker::new(world.pool.clone(), shared, world.desk.upstreams.clone(), TimeDelta::zero());
    assert_eq!(asker.step().await.unwrap(), Step::Idle, "their turns are still to come");
    assert_eq!(world.count("record_ask").await, 20);
    sqlx::query("update record_ask set since = now() - interval '1 minute', asked_to = now()")
        .execute(&world.pool)
        .await
        .unwrap();
    let real =
        |one: &Connection| world.makini.connection(&one.key).is_some_and(|one| !one.sandbox && one.status == "active");
    let one = world.connections().await.into_iter().find(real).expect("one is quiet");
    (world, asker, one)
}

/// Asks this connection now.
async fn ask(world: &World, asker: &RecordAsker, id: ConnectionId) {
    sqlx::query("update source set record_next_at = null").execute(&world.pool).await.unwrap();
    sqlx::query("update record_ask set due_at = now() - interval '1 second' where connection_id = $1")
        .bind(id.0)
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(asker.step().await.unwrap(), Step::Busy);
    record_event::step(&world.pool, &world.clock).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_record_that_changed_untold_is_a_gap(pool: PgPool) {
    let (world, asker, one) = that_asks(pool, TokenOwnership::Linewatch).await;
    world.act(&one.key, "change_record").await;
    ask(&world, &asker, one.id).await;
    assert_eq!(world.count("gap").await, 0, "no webhook about assets ever came: they may not be subscribed");
    let said = world.connection(one.id).await.records.unwrap();
    assert!(said.contains("Of assets it cannot be known"), "{said}");

    world.hear(&json!({"event": "assets.updated", "body": [uuid::Uuid::from_u128(7).to_string()]})).await.unwrap();
    world.settle().await;
    world.act(&one.key, "change_record").await;
    let told = world.makini.deliveries().into_iter().filter(|sent| sent.event == "assets.updated");
    let told = told.max_by_key(|sent| sent.created_at).expect("it was sent");
    let body: Value = serde_json::from_str(told.body.as_ref()).unwrap();
    for _ in 0..2 {
        world.hear(&body).await.unwrap();
        world.settle().await;
        ask(&world, &asker, one.id).await;
    }
    assert_eq!(world.count("gap").await, 0, "told of, and more than once");

    // of another connection, so that it is surely another record
    let quiet = |other: &Connection| {
        let state = world.makini.connection(&other.key);
        other.id != one.id && state.is_some_and(|state| !state.sandbox && state.status == "active")
    };
    let other = world.connections().await.into_iter().find(quiet).expect("two are quiet");
    world.sim("/_sim/faults", json!({"fault": "drop_webhooks", "value": 1, "scope": "all"})).await;
    world.act(&other.key, "change_record").await;
    for _ in 0..2 {
        ask(&world, &asker, other.id).await;
    }
    assert_eq!(world.count("gap where missed_at is not null and kind = 'assets.updated'").await, 1, "once");
    let gap: (uuid::Uuid, String) =
        sqlx::query_as("select id, record_id from gap").fetch_one(&world.pool).await.unwrap();
    let shown = world.desk.gap(&admin(), gap.0.into()).await.unwrap();
    assert_eq!((shown.connection.id, shown.kind.as_str()), (other.id, "assets.updated"));
    assert!(shown.explanation.contains(&gap.1), "{}", shown.explanation);
    assert!(told_of_record(&world, other.id).await);
    assert!(
        misses(&mut world.pool.acquire().await.unwrap(), &[other.id]).await.unwrap().is_empty(),
        "nothing against it"
    );
    let source = world.desk.source(&admin(), world.source.id).await.unwrap();
    assert_eq!(source.records.unwrap().told, ["assets.updated"]);

    world.hear(&json!({"event": "assets.updated", "body": [gap.1]})).await.unwrap();
    world.settle().await;
    assert_eq!(world.count("gap where missed_at is not null and came_at is not null").await, 1, "it came after all");
}

async fn told_of_record(world: &World, id: ConnectionId) -> bool {
    told(world, id).await.iter().any(|text| text.contains("assets.updated"))
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refusal_is_remembered_for_a_day_and_held_against_nobody(pool: PgPool) {
    let (world, asker, one) = that_asks(pool, TokenOwnership::External).await;
    let before = world.connection(one.id).await.connection;
    ask(&world, &asker, one.id).await;
    assert_eq!(world.count("record_ask where refused is not null and due_at > now() + interval '23 hours'").await, 1);
    let after = world.connection(one.id).await;
    assert_eq!((after.connection.health, after.connection.version), (before.health, before.version));
    let said = after.records.unwrap();
    assert!(said.contains("cannot be known: Makini tells of records only with the connection's own token"), "{said}");
    assert_eq!(asker.step().await.unwrap(), Step::Idle, "one turn, then a pause");

    let off = SourcePatch { record_entities: Some(Vec::new()), ..SourcePatch::default() };
    let source = world.desk.change_source(&admin(), world.source.id, off).await.unwrap();
    assert_eq!((source.records, world.count("record_ask").await), (None, 0));
    let wrong = |entity: &str| SourcePatch {
        record_entities: Some(vec![entity.to_owned()]),
        record_minutes: Some(4),
        ..SourcePatch::default()
    };
    let refused = world.desk.change_source(&admin(), world.source.id, wrong("../system")).await;
    assert!(matches!(refused, Err(Refusal::Invalid(wrong)) if wrong.len() == 2));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_source_without_webhooks_about_records_asks_for_none(pool: PgPool) {
    let world = World::new(pool, 3).await;
    let patch = SourcePatch { record_entities: Some(vec!["eam/assets".to_owned()]), ..SourcePatch::default() };
    let refused = world.desk.change_source(&admin(), world.source.id, patch).await;
    assert!(matches!(refused, Err(Refusal::Invalid(wrong)) if wrong[0].field == "record_entities"));
}
