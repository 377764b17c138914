//! Partitions by day: made ahead, never in the way, dropped when they are past.

use crate::door::{Doorway, noon};
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::new_id,
    housekeeping::{self, drop_expired, ensure_partitions, partitions_ready},
    store::{partition::PARENTS, setting},
    webhook::process::Processor,
};
use sqlx::{Connection, PgConnection, PgPool};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

async fn tables(pool: &PgPool, parent: &str) -> Vec<String> {
    let sql = "select relname::text from pg_inherits join pg_class on pg_class.oid = inhrelid
               where inhparent = $1::text::regclass order by 1";
    sqlx::query_scalar(sql).bind(parent).fetch_all(pool).await.unwrap()
}

async fn add_event(pool: &PgPool, at: DateTime<Utc>, state: &str) {
    let id = new_id();
    let event = "insert into event (id, received_at, source_id, headers, body) values ($1, $2, $1, '[]', '')";
    sqlx::query(event).bind(id).bind(at).execute(pool).await.unwrap();
    let end = "insert into event_end (id, received_at, started_at, duration_ms, state, failed_at)
               values ($1, $2, $2, 0, $3, case when $3 = 'failed' then $2 end)";
    sqlx::query(end).bind(id).bind(at).bind(state).execute(pool).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn any_number_of_processes_make_them_once(pool: PgPool) {
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let pool = pool.clone();
        all.spawn(async move {
            let mut conn = pool.acquire().await.unwrap();
            ensure_partitions(&mut conn, noon()).await.unwrap()
        });
    }
    assert_eq!(all.join_all().await.into_iter().sum::<usize>(), 36);
    for parent in PARENTS {
        let tables = tables(&pool, parent).await;
        assert_eq!(tables.len(), 9);
        assert_eq!(
            (tables[0].as_str(), tables[8].as_str()),
            (&*format!("{parent}_20261121"), &*format!("{parent}_20261129"))
        );
    }
    // they have every index of their parents, attached, so that none is built twice
    let indexes = |table| {
        let sql = "select count(*) from pg_index where indrelid = $1::text::regclass and indisvalid";
        sqlx::query_scalar::<_, i64>(sql).bind(table).fetch_one(&pool)
    };
    assert_eq!(indexes("event").await.unwrap(), indexes("event_20261122").await.unwrap());
}

#[sqlx::test(migrations = "../../migrations")]
async fn not_ready_when_tomorrow_is_missing(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    assert!(!partitions_ready(&mut conn, noon()).await.unwrap());
    ensure_partitions(&mut conn, noon()).await.unwrap();
    for (days, ready) in [(0, true), (6, true), (7, false), (8, false)] {
        assert_eq!(partitions_ready(&mut conn, noon() + TimeDelta::days(days)).await.unwrap(), ready, "day {days}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_id_is_one_event_across_midnight_and_weeks(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let body = r#"{"id":"evt_1","event":"sync.completed","timestamp":"2026-11-22T23:59:58Z"}"#;
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();

    world.clock.set(at("2026-11-22T23:59:59Z"));
    let first = world.post(body).await.unwrap();
    assert!(!first.duplicate);
    for later in ["2026-11-23T00:00:01Z", "2026-12-21T23:59:59Z", "2026-12-27T23:59:00Z"] {
        world.clock.set(at(later));
        assert!(housekeeping::round(&pool, at(later)).await);
        let again = world.post(body).await.unwrap();
        assert_eq!((again.id, again.duplicate), (first.id, true), "{later}");
    }
    assert_eq!(world.events().await, 1);

    // when its key is gone, it is too old to count
    world.clock.set(at("2026-12-28T00:00:00Z"));
    assert!(housekeeping::round(&pool, at("2026-12-28T00:00:00Z")).await);
    assert!(!world.post(body).await.unwrap().duplicate);
    Processor::new(pool.clone(), world.clock.clone(), Arc::default()).step().await.unwrap();
    let states: Vec<String> =
        sqlx::query_scalar("select state from event_end order by received_at").fetch_all(&pool).await.unwrap();
    assert_eq!(states, ["pending", "superseded"], "whom the first is about may yet be listed");
}

#[sqlx::test(migrations = "../../migrations")]
async fn old_days_are_dropped_but_not_what_is_unresolved(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    ensure_partitions(&mut conn, noon()).await.unwrap();
    let day = |n| noon() + TimeDelta::days(n);
    add_event(&pool, day(0), "processed").await;
    add_event(&pool, day(1), "failed").await;
    add_event(&pool, day(1), "processed").await;
    add_event(&pool, day(2), "unrecognised").await;
    let count = async |table: &str| -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    };

    assert_eq!(drop_expired(&pool, day(90)).await.unwrap(), 4, "yesterday's, of every table");
    assert_eq!(tables(&pool, "event").await[0], "event_20261122");
    assert_eq!(drop_expired(&pool, day(93)).await.unwrap(), 10);
    let left = tables(&pool, "event").await;
    assert_eq!((left[0].as_str(), left[1].as_str()), ("event_20261123", "event_20261125"));
    assert_eq!(tables(&pool, "evidence").await[0], "evidence_20261125");
    assert_eq!(tables(&pool, "event_end").await[0], "event_end_20261123", "events and their ends go together");
    assert_eq!((count("event").await, count("event_end").await), (1, 1), "of that day only what failed is left");
    assert_eq!(drop_expired(&pool, day(93)).await.unwrap(), 0);
    assert_eq!(count("event_20261123").await, 1);
    // what is kept has every index of its parent
    let indexes = "select count(*) from pg_index where indrelid = $1::text::regclass and indisvalid";
    let indexes =
        async |table: &str| -> i64 { sqlx::query_scalar(indexes).bind(table).fetch_one(&pool).await.unwrap() };
    assert_eq!(indexes("event_end_20261123").await, indexes("event_end_20261125").await);

    // retried, it waits, and its day is left alone
    let retried =
        "insert into event_due (due_at, event_id, received_at) select received_at, id, received_at from event_end";
    sqlx::query(retried).execute(&pool).await.unwrap();
    sqlx::query("update event_end set state = 'processed', failed_at = null").execute(&pool).await.unwrap();
    assert_eq!(drop_expired(&pool, day(93)).await.unwrap(), 0);
    sqlx::query("delete from event_due").execute(&pool).await.unwrap();
    assert_eq!(drop_expired(&pool, day(93)).await.unwrap(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_class_is_kept_as_long_as_is_set_and_an_event_as_long_as_its_delivery_failed(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    ensure_partitions(&mut conn, noon()).await.unwrap();
    let keep =
        model::Retention { events_days: 2, deliveries_days: 30, evidence_days: 1, ..model::Retention::default() };
    setting::set_retention(&mut conn, &keep, "Ann", noon()).await.unwrap().unwrap();
    add_event(&pool, noon(), "processed").await;
    add_event(&pool, noon(), "processed").await;
    let delivery =
        "insert into delivery (id, received_at, event_id, endpoint_id, state, started_at, duration_ms, failed_at)
                    select id, received_at, id, id, 'failed', received_at, 0, received_at from event limit 1";
    sqlx::query(delivery).execute(&pool).await.unwrap();
    drop_expired(&pool, noon() + TimeDelta::days(5)).await.unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from event e join delivery d on d.event_id = e.id")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(rows, 1);
    let events: i64 = sqlx::query_scalar("select count(*) from event").fetch_one(&pool).await.unwrap();
    assert_eq!(events, 1);
    assert_eq!(tables(&pool, "evidence").await[0], "evidence_20261126");
    assert_eq!(tables(&pool, "delivery").await.len(), 9);

    // within the time of deliveries nothing changes; once it is done both go
    drop_expired(&pool, noon() + TimeDelta::days(40)).await.unwrap();
    assert_eq!(tables(&pool, "delivery").await, ["delivery_20261122"]);
    sqlx::query("update delivery set state = 'done', failed_at = null").execute(&pool).await.unwrap();
    drop_expired(&pool, noon() + TimeDelta::days(40)).await.unwrap();
    assert!(tables(&pool, "delivery").await.is_empty() && tables(&pool, "event").await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_slow_reader_delays_the_dropping_and_nobody_else(pool: PgPool) {
    let world = Doorway::open(&pool).await;
    let late = noon() + TimeDelta::days(90);
    let mut conn = pool.acquire().await.unwrap();
    ensure_partitions(&mut conn, late).await.unwrap();
    world.clock.set(late);

    let mut reader = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    sqlx::query("select count(*) from event").execute(&mut *reading).await.unwrap();
    let dropping = tokio::spawn({
        let pool = pool.clone();
        async move { drop_expired(&pool, late).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = Instant::now();
    assert!(world.post(r#"{"id":"evt_1"}"#).await.is_ok());
    assert!(asked.elapsed() < Duration::from_millis(1_000), "the door waited {:?}", asked.elapsed());
    assert!(dropping.await.unwrap().is_err(), "it gave way");

    reading.rollback().await.unwrap();
    assert_eq!(drop_expired(&pool, late).await.unwrap(), 2, "the other two nobody was reading");
    assert_eq!(tables(&pool, "event").await[0], "event_20261122");
}
