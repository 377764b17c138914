//! Trying many again: at a pace, once each, stopped at once.

use crate::failed::failed_event;
use crate::world::{World, admin};
use chrono::TimeDelta;
use engine::clock::{Clock as _, TestClock};
use engine::store::{event_end, retry};
use engine::webhook::process::Processor;
use engine::work::{RetryWorker, Step};
use model::{Backend, BulkState, EventId, NewRetry, Refusal, Retry, RetryPatch};
use serde_json::json;
use sqlx::PgPool;
use std::sync::Arc;

struct Story {
    world: World,
    clock: Arc<TestClock>,
    worker: RetryWorker,
    processor: Processor,
    events: Vec<EventId>,
}

impl Story {
    /// A world in which this many events rest as failed, which now would be processed.
    async fn of(pool: PgPool, failed: i64) -> Self {
        let world = World::new(pool, 2).await;
        world.round().await;
        let key = world.connections().await[0].key.clone();
        let clock = TestClock::at(world.clock.now() + TimeDelta::seconds(5));
        let mut events = Vec::new();
        for n in 0..failed {
            let at = world.clock.now() - TimeDelta::milliseconds(10 * n);
            let body = json!({"id": n, "event": "sync.completed", "timestamp": at, "connection_id": key}).to_string();
            events.push(failed_event(&world, at, "internal", &body).await);
        }
        let worker = RetryWorker::new(world.pool.clone(), clock.clone(), Arc::default());
        let processor = Processor::new(world.pool.clone(), clock.clone(), Arc::default());
        Self { world, clock, worker, processor, events }
    }

    async fn start(&self, wish: serde_json::Value) -> Retry {
        let wish: NewRetry = serde_json::from_value(wish).unwrap();
        self.world.desk.start_retry(&admin(), wish).await.unwrap()
    }

    async fn look(&self, retry: &Retry) -> Retry {
        self.world.desk.retry(&admin(), retry.id.unwrap()).await.unwrap()
    }

    async fn change(&self, retry: &Retry, state: Option<BulkState>, rate: Option<u32>) -> Retry {
        self.world.desk.change_retry(&admin(), retry.id.unwrap(), RetryPatch { state, rate }).await.unwrap()
    }

    async fn step(&self) -> Step {
        self.clock.advance(TimeDelta::milliseconds(250));
        self.worker.step().await.unwrap()
    }

    async fn process(&self) {
        while self.processor.step().await.unwrap() == Step::Busy {}
    }

    async fn waiting(&self) -> i64 {
        self.world.count("event_due").await
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_are_tried_again_at_a_pace_that_can_be_changed_paused_and_cancelled(pool: PgPool) {
    let story = Story::of(pool, 60).await;
    let preview = story.start(json!({"filter": {"kind": "processing"}, "dry_run": true})).await;
    assert_eq!((preview.id, preview.total, preview.remaining), (None, 60, 60));
    assert_eq!(story.world.count("retry").await, 0);

    let retry = story.start(json!({"filter": {"kind": ["processing"]}, "rate": 40})).await;
    assert_eq!((retry.state, retry.total, retry.rate), (Some(BulkState::Running), 60, 40));
    story.clock.set(retry.started_at.unwrap());
    assert_eq!(story.worker.step().await.unwrap(), Step::Busy);
    assert_eq!(story.waiting().await, 10, "a quarter of a second's worth");
    assert_eq!(story.worker.step().await.unwrap(), Step::Idle, "the next few are not due");
    story.process().await;
    let seen = story.look(&retry).await;
    assert_eq!((seen.done, seen.failed, seen.skipped, seen.remaining), (10, 0, 0, 50));

    story.change(&retry, Some(BulkState::Paused), Some(80)).await;
    assert_eq!(story.step().await, Step::Idle);
    story.change(&retry, Some(BulkState::Running), None).await;
    story.clock.set(story.world.clock.now());
    assert_eq!(story.worker.step().await.unwrap(), Step::Busy);
    assert_eq!(story.waiting().await, 20);

    let cancelled = story.world.desk.cancel_retry(&admin(), retry.id.unwrap()).await.unwrap();
    assert_eq!(cancelled.state, Some(BulkState::Cancelled));
    assert_eq!(story.step().await, Step::Idle);
    story.process().await;
    let seen = story.look(&retry).await;
    assert_eq!(
        (seen.done, seen.remaining, seen.state),
        (30, 30, Some(BulkState::Cancelled)),
        "what was let go is done"
    );
    let again = story.world.desk.change_retry(&admin(), retry.id.unwrap(), RetryPatch::default()).await;
    assert!(matches!(again, Err(Refusal::Conflict(_))));

    // the rest, in one go, to its end
    let rest = story.start(json!({"filter": {}, "rate": 10_000})).await;
    assert_eq!(rest.total, 30);
    story.step().await;
    story.process().await;
    story.step().await;
    let seen = story.look(&rest).await;
    assert_eq!((seen.state, seen.done, seen.remaining), (Some(BulkState::Done), 30, 0));
    assert!(seen.ended_at.is_some());
    let nothing = story.start(json!({})).await;
    assert_eq!((nothing.state, nothing.total), (Some(BulkState::Done), 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn any_number_of_workers_let_each_go_once_and_what_fails_again_says_why(pool: PgPool) {
    let story = Story::of(pool, 100).await;
    sqlx::query("update event set body = convert_to(replace(convert_from(body, 'UTF8'), 'connection_id', 'connection_nobody'), 'UTF8')")
        .execute(&story.world.pool)
        .await
        .unwrap();
    let retry = story.start(json!({"filter": {"error": "internal"}, "rate": 100})).await;
    let other = story.worker.clone();
    for _ in 0..8 {
        story.clock.advance(TimeDelta::milliseconds(250));
        let (one, two) = tokio::join!(story.worker.step(), other.step());
        one.unwrap();
        two.unwrap();
    }
    assert_eq!(story.waiting().await, 100);
    let different: i64 = sqlx::query_scalar("select count(distinct event_id) from event_due")
        .fetch_one(&story.world.pool)
        .await
        .unwrap();
    assert_eq!(different, 100);
    story.process().await;
    story.clock.advance(TimeDelta::seconds(2));
    story.worker.step().await.unwrap();
    let seen = story.look(&retry).await;
    assert_eq!((seen.state, seen.done + seen.failed, seen.remaining), (Some(BulkState::Done), 100, 0));
    assert_eq!(seen.errors.iter().map(|error| error.count).sum::<i64>(), seen.failed);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_person_and_a_bulk_retry_never_try_the_same_at_once(pool: PgPool) {
    let story = Story::of(pool, 3).await;
    let now = story.clock.now();
    let mut conn = story.world.pool.acquire().await.unwrap();
    let (by_hand, gone) = (story.events[0], story.events[1]);
    let retry = story.start(json!({"filter": {"id": story.events}})).await;
    assert!(event_end::requeue(&mut conn, by_hand, "Ann", now).await.unwrap());
    sqlx::query("delete from event_end where id = $1").bind(gone.0).execute(&mut *conn).await.unwrap();
    story.step().await;
    assert_eq!(story.waiting().await, 2);
    assert!(!event_end::requeue(&mut conn, story.events[2], "Ann", story.clock.now()).await.unwrap());
    let refused = story.world.desk.retry_event(&admin(), story.events[2]).await;
    assert!(matches!(refused, Err(Refusal::Conflict(_))), "{refused:?}");
    story.process().await;
    story.step().await;
    let seen = story.look(&retry).await;
    assert_eq!((seen.done, seen.skipped, seen.state), (1, 2, Some(BulkState::Done)));

    // an end that is told twice counts once
    let id = retry.id.unwrap().0;
    let told = [(id, story.events[2].0, Some("late".to_owned()))];
    retry::ended(&mut conn, &told, now).await.unwrap();
    assert_eq!(story.look(&retry).await.failed, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_step_that_breaks_off_has_let_nothing_go(pool: PgPool) {
    let story = Story::of(pool, 20).await;
    let retry = story.start(json!({"rate": 40})).await;
    story.clock.advance(TimeDelta::milliseconds(250));
    let now = story.clock.now();
    let mut tx = story.world.pool.begin().await.unwrap();
    let due = retry::claim(&mut tx, now).await.unwrap().unwrap();
    assert_eq!(retry::release(&mut tx, &due, 10, now).await.unwrap().events.len(), 10);
    assert_eq!(story.worker.step().await.unwrap(), Step::Idle, "it is held");
    tx.rollback().await.unwrap();
    assert_eq!(story.waiting().await, 0);
    for _ in 0..3 {
        story.step().await;
        story.process().await;
    }
    assert_eq!(story.look(&retry).await.done, 20);
}

/// As many transactions of this database as wait for another.
const HELD_UP: &str =
    "pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())";

#[sqlx::test(migrations = "../../migrations")]
async fn a_cancel_waits_for_the_step_under_way_and_says_what_was_let_go(pool: PgPool) {
    let story = Story::of(pool, 60).await;
    let retry = story.start(json!({"rate": 40})).await;
    let id = retry.id.unwrap();
    story.clock.set(retry.started_at.unwrap());
    let now = story.clock.now();
    let mut tx = story.world.pool.begin().await.unwrap();
    let due = retry::claim(&mut tx, now).await.unwrap().unwrap();
    assert_eq!(retry::release(&mut tx, &due, 10, now).await.unwrap().events.len(), 10);
    let step = async {
        while story.world.count(HELD_UP).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        retry::turn(&mut tx, id, 10, true, Some(now), now).await.unwrap();
        tx.commit().await.unwrap();
    };
    let who = admin();
    let (cancelled, ()) = tokio::join!(story.world.desk.cancel_retry(&who, id), step);
    let cancelled = cancelled.unwrap();
    assert_eq!((cancelled.state, cancelled.let_go, cancelled.remaining), (Some(BulkState::Cancelled), 10, 60));
    for _ in 0..3 {
        assert_eq!(story.step().await, Step::Idle);
    }
    assert_eq!(story.waiting().await, 10, "nothing goes after it");
    story.process().await;
    let seen = story.look(&retry).await;
    assert_eq!((seen.done, seen.let_go, seen.remaining), (10, 10, 50));
}

#[sqlx::test(migrations = "../../migrations")]
async fn whenever_it_is_cancelled_no_more_go_than_it_says(pool: PgPool) {
    let story = Story::of(pool, 200).await;
    for pause in [0, 3, 9, 20] {
        let retry = story.start(json!({"rate": 40})).await;
        let before = story.waiting().await;
        let steps = async {
            for _ in 0..12 {
                story.step().await;
            }
        };
        let who = admin();
        let cancel = async {
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            story.world.desk.cancel_retry(&who, retry.id.unwrap()).await.unwrap()
        };
        let ((), cancelled) = tokio::join!(steps, cancel);
        assert_eq!(cancelled.state, Some(BulkState::Cancelled));
        assert_eq!(story.look(&retry).await.let_go, cancelled.let_go);
        assert_eq!(story.waiting().await - before, cancelled.let_go);
    }
}
