//! Ten thousand failed deliveries tried again by workers that are killed in the middle, wherever they stand; and by two people
//! at once. A kill is the end of a task: what it held open is rolled back, what it claimed stays claimed until its lease ends.

use crate::relay::Story;
use crate::world::admin;
use chrono::TimeDelta;
use engine::clock::{Clock as _, id_at};
use engine::relay::delivery_id;
use engine::work::{RetryWorker, Step};
use model::{Actor, Backend, BulkState, DeliveryState, EventId, Refusal, Retry};
use serde_json::json;
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A story in which so many deliveries rest as failed, and its receiver is well again.
async fn failed(pool: &PgPool, many: i64) -> Story {
    let story = Story::begin(pool).await;
    let (endpoint, now) = (story.endpoint.id, story.door.clock.now());
    sqlx::query("update endpoint set concurrency = 64").execute(pool).await.unwrap();
    let (mut events, mut deliveries, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..many {
        let at = now - TimeDelta::milliseconds(many - n);
        let event = id_at(at);
        events.push(event);
        deliveries.push(delivery_id(EventId(event), at, endpoint));
        times.push(at);
    }
    sqlx::query(
        "insert into event (id, received_at, source_id, headers, body)
         select id, at, $3, '[]', convert_to('{\"id\":\"' || id || '\"}', 'UTF8') from unnest($1::uuid[], $2::timestamptz[]) as n (id, at)",
    )
    .bind(&events)
    .bind(&times)
    .bind(story.door.source.0)
    .execute(pool)
    .await
    .unwrap();
    let attempts = json!([{
        "n": 1, "trigger": "arrival", "by": null, "started_at": now, "duration_ms": 1, "outcome": "failed", "status": 410,
        "error": {"class": "http_410", "message": "Answered 410"}, "answer": null,
    }]);
    sqlx::query(
        "insert into delivery (id, received_at, event_id, endpoint_id, kind, state, started_at, duration_ms, status, failed_at,
                               error_class, error_message, attempts)
         select id, at, event, $4, 'odd.thing', 'failed', at, 1, 410, at, 'http_410', 'Answered 410', $5
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) as n (id, at, event)",
    )
    .bind(&deliveries)
    .bind(&times)
    .bind(&events)
    .bind(endpoint.0)
    .bind(attempts)
    .execute(pool)
    .await
    .unwrap();
    sqlx::raw_sql("analyze delivery; analyze event").execute(pool).await.unwrap();
    story
}

impl Story {
    fn retry_worker(&self) -> RetryWorker {
        RetryWorker::new(self.door.pool.clone(), self.door.clock.clone(), Arc::default())
    }

    async fn retry_all(&self, who: &Actor, rate: u32) -> Retry {
        let wish = json!({"filter": {"kind": "delivery"}, "rate": rate});
        self.desk.start_retry(who, serde_json::from_value(wish).unwrap()).await.unwrap()
    }

    async fn look_at(&self, retry: &Retry) -> Retry {
        self.desk.retry(&admin(), retry.id.unwrap()).await.unwrap()
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.door.pool).await.unwrap()
    }

    /// How often each delivery came.
    fn times_come(&self) -> HashMap<String, u32> {
        let mut times = HashMap::new();
        for came in self.receiver.came() {
            *times.entry(came.id().to_owned()).or_default() += 1;
        }
        times
    }
}

const LET_GO: &str = "select count(*) from retry_item where released_at is not null and outcome is null";

#[sqlx::test(migrations = "../../migrations")]
async fn ten_thousand_are_retried_though_every_worker_is_killed_in_the_middle(pool: PgPool) {
    let many = 10_000;
    let story = failed(&pool, many).await;
    let retry = story.retry_all(&admin(), 4_000).await;
    assert_eq!(retry.total, many);

    // whoever lets go is killed at many points: before it holds the retry, while it lets go, before and after it commits
    let (mut killed, mut due) = (0, 0);
    for round in 0..400_u64 {
        if due == many {
            break;
        }
        story.door.clock.advance(TimeDelta::milliseconds(250));
        let worker = story.retry_worker();
        let task = tokio::spawn(async move { worker.step().await });
        // now and then one is left to live
        if round % 8 != 7 {
            tokio::time::sleep(Duration::from_micros(300 * (round % 97))).await;
            task.abort();
        }
        killed += i32::from(task.await.is_err_and(|error| error.is_cancelled()));
        // one that was killed may hold its rows until Postgres has noticed
        let rows = story.number("select count(*) from delivery_due").await;
        let items = story.number(LET_GO).await;
        let again = story.number("select count(*) from delivery_due").await;
        assert!(rows <= items && items <= again, "let go and written down are one: {rows}, {items}, {again}");
        assert!(again - due <= 1_000, "no step lets more go than its pace: {due}, then {again}");
        due = again;
    }
    assert_eq!(due, many, "killed {killed} times");
    assert!(killed > 3, "{killed}");
    let different =
        story.number("select count(distinct delivery_id) from delivery_due where retry_id is not null").await;
    assert_eq!(different, many, "each was let go once");

    // whoever sends is killed as well; what it was sending is known, and sent again
    let mut killed = 0;
    for round in 0..12_u64 {
        let relay = story.relay.clone();
        let task = tokio::spawn(async move { relay.step().await });
        tokio::time::sleep(Duration::from_millis(20 + 60 * (round % 5))).await;
        task.abort();
        killed += i32::from(task.await.is_err_and(|error| error.is_cancelled()));
        // until the lease of the dead one's lane has ended
        story.door.clock.advance(TimeDelta::seconds(16));
    }
    assert!(killed > 3, "{killed}");
    let worker = story.retry_worker();
    for _ in 0..10 {
        story.later(TimeDelta::seconds(36)).await;
        worker.step().await.unwrap();
    }
    let seen = story.look_at(&retry).await;
    assert_eq!((seen.state, seen.remaining, seen.skipped), (Some(BulkState::Done), 0, 0), "{seen:?}");
    assert_eq!(seen.done + seen.failed, many);
    assert!(seen.errors.iter().all(|error| error.message.contains("it may have arrived")), "{:?}", seen.errors);
    let left = story.number("select count(*) from delivery where state <> 'done' or failed_at is not null").await;
    assert_eq!((left, story.number("select count(*) from delivery_due").await), (0, 0), "all have arrived in the end");
    let twice = story
        .number("select count(*) from delivery where not attempts::text like '%interrupted%' and jsonb_array_length(attempts) > 2")
        .await;
    assert_eq!(twice, 0, "only what was interrupted was tried twice");
    let times = story.times_come();
    assert_eq!(times.len() as i64, many);
    let again = times.values().filter(|times| **times > 1).count() as i64;
    assert!(again <= seen.failed, "{again} came again, {} were interrupted", seen.failed);
}

#[sqlx::test(migrations = "../../migrations")]
async fn cancelled_in_the_middle_nothing_more_goes_and_the_rest_can_still_be_retried(pool: PgPool) {
    let story = failed(&pool, 2_000).await;
    let retry = story.retry_all(&admin(), 2_000).await;
    let worker = story.retry_worker();
    assert_eq!(worker.step().await.unwrap(), Step::Busy);
    let cancelled = story.desk.cancel_retry(&admin(), retry.id.unwrap()).await.unwrap();
    assert_eq!(cancelled.state, Some(BulkState::Cancelled));
    for _ in 0..8 {
        story.door.clock.advance(TimeDelta::milliseconds(250));
        assert_eq!(worker.step().await.unwrap(), Step::Idle);
    }
    story.settle().await;
    assert_eq!((story.times_come().len(), story.look_at(&retry).await.done), (500, 500), "what was let go by then");
    let rest = story.retry_all(&admin(), 10_000).await;
    assert_eq!(rest.total, 1_500);
    for _ in 0..4 {
        story.later(TimeDelta::seconds(1)).await;
        worker.step().await.unwrap();
    }
    assert_eq!((story.look_at(&rest).await.done, story.times_come().len()), (1_500, 2_000));
    assert_eq!(story.receiver.came().len(), 2_000, "each once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_people_who_retry_the_same_send_it_once(pool: PgPool) {
    let story = failed(&pool, 400).await;
    let (ann, bob) = (Actor { name: "Ann".to_owned(), ..admin() }, Actor { name: "Bob".to_owned(), ..admin() });
    // one thing, at the same moment: both are right
    let one = story.deliveries().await.remove(0);
    let both = tokio::join!(story.desk.retry_delivery(&ann, one.id), story.desk.retry_delivery(&bob, one.id));
    assert_eq!((both.0.unwrap().state, both.1.unwrap().state), (DeliveryState::Pending, DeliveryState::Pending));
    // everything, at the same moment, by two workers
    let (hers, his) = tokio::join!(story.retry_all(&ann, 400), story.retry_all(&bob, 400));
    assert!(hers.total == his.total && hers.total >= 399, "{hers:?} {his:?}");
    let (first, second) = (story.retry_worker(), story.retry_worker());
    for round in 0..12 {
        story.door.clock.advance(TimeDelta::milliseconds(250));
        let (one, two) = tokio::join!(first.step(), second.step());
        one.unwrap();
        two.unwrap();
        if round % 3 == 2 {
            story.settle().await;
        }
    }
    for _ in 0..3 {
        story.later(TimeDelta::seconds(1)).await;
        first.step().await.unwrap();
        second.step().await.unwrap();
    }
    let (hers, his) = (story.look_at(&hers).await, story.look_at(&his).await);
    for seen in [&hers, &his] {
        assert_eq!((seen.state, seen.remaining), (Some(BulkState::Done), 0), "{seen:?}");
        assert!(seen.errors.iter().all(|error| error.message == "Another retry took its place"), "{seen:?}");
    }
    // the one that was retried by hand before may have been let go by then
    assert!((399..=400).contains(&(hers.done + his.done)), "each is done for one of them: {hers:?} {his:?}");
    assert_eq!((story.receiver.came().len(), story.times_come().len()), (400, 400), "and came once");
    let late = story.desk.retry_delivery(&ann, one.id).await;
    assert!(matches!(late, Err(Refusal::Conflict(_))), "it has arrived: {late:?}");
}
