//! What a webhook should have told and did not: expected, missed, and what comes after all.

use crate::world::{World, admin};
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{SharedClock, TestClock},
    health::gap::{Came, Expected, GapKind},
    store::gap::{came, expect, misses, step},
    work::Step,
};
use model::{Backend, ConnectionId, PageQuery, TimelineKind};
use sqlx::PgPool;

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
