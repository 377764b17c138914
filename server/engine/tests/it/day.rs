//! A whole day of failing, lived from one due moment to the next: real lanes, real Postgres, a real socket, and a clock that is
//! moved to when something is due next.

use crate::receiver::{Receiver, answer};
use crate::relay::{Story, classes, new_endpoint, verifies};
use crate::world::admin;
use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::Clock as _;
use engine::relay::{LAST, LIFE, MOST};
use engine::work::{RetryWorker, Step};
use model::{
    AttemptTrigger, Backend, Delivery, DeliveryState, EndpointHealth, EndpointPatch, FailureKind, FailureQuery,
};
use serde_json::json;
use sqlx::PgPool;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl Story {
    /// When something is due next: a delivery, a probe of those that wait for one, or the end of their patience.
    async fn next_due(&self) -> Option<DateTime<Utc>> {
        sqlx::query_scalar(
            "select min(case when l.open_since is null then d.due_at
                             else least(greatest(d.due_at, l.probe_at), d.begun_at + interval '23 hours 56 minutes') end)
             from delivery_due d join endpoint_lane l on l.endpoint_id = d.endpoint_id",
        )
        .fetch_one(&self.door.pool)
        .await
        .unwrap()
    }

    /// Lives from due moment to due moment until this one, or until nothing is due any more.
    async fn live_until(&self, end: DateTime<Utc>) {
        self.settle().await;
        for _ in 0..20_000 {
            let now = self.door.clock.now();
            let Some(next) = self.next_due().await.filter(|next| *next <= end) else {
                self.door.clock.set(now.max(end));
                return self.settle().await;
            };
            // a moment is never lived twice
            self.door.clock.set(next.max(now + TimeDelta::milliseconds(1)));
            self.settle().await;
        }
        panic!("the day never ends");
    }

    async fn by_endpoint(&self) -> BTreeMap<String, Vec<Delivery>> {
        let mut all: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for one in self.deliveries().await {
            all.entry(one.endpoint.clone()).or_default().push(one);
        }
        all
    }
}

/// Nothing is tried more often than promised, later than promised, sooner than its schedule says, or without being counted.
fn keeps_the_schedule(one: &Delivery) {
    let tries: Vec<_> = one.attempts.iter().map(|sent| &sent.attempt).collect();
    assert!(tries.len() <= MOST as usize, "{one:?}");
    let begun = one.received_at;
    for (n, attempt) in tries.iter().enumerate() {
        assert_eq!(attempt.n as usize, n + 1);
        // what was ended without being sent may say so a little later
        let sent = attempt.error.as_ref().is_none_or(|error| error.class != "circuit_open");
        assert!(!sent || attempt.started_at - begun < LIFE, "after a day: {one:?}");
    }
    for (n, pair) in tries.windows(2).enumerate() {
        let pause = TimeDelta::seconds(30 << n.min(12));
        let gap = pair[1].started_at - pair[0].started_at;
        let is_last = pair[1].started_at - begun >= LAST - TimeDelta::minutes(1);
        assert!(gap >= pause || is_last, "{gap} after try {}: {one:?}", n + 1);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn everything_arrives_after_23_hours_of_every_kind_of_failure(pool: PgPool) {
    let story = Story::begin(&pool).await;
    let wishing = Receiver::start().await;
    story.desk.add_endpoint(&admin(), new_endpoint("wishing", &wishing.url)).await.unwrap();
    // one fails in every way, the other says when to come again
    story.receiver.answers(&[
        answer(500, "", "a fault"),
        "this is not HTTP\r\n\r\n".to_owned(),
        String::new(),
        answer(302, "location: http://127.0.0.1:9/\r\n", ""),
        answer(404, "", ""),
        answer(503, "", ""),
    ]);
    wishing.answers(&[answer(429, "retry-after: 5400\r\n", "")]);
    let begun = story.door.clock.now();
    for n in 0..24 {
        story.hear(&format!("evt_{n}")).await;
        story.live_until(story.door.clock.now() + TimeDelta::minutes(2)).await;
    }
    story.live_until(begun + TimeDelta::hours(23)).await;
    let all = story.deliveries().await;
    assert!(all.iter().all(|one| one.state != DeliveryState::Done && one.state != DeliveryState::Failed), "{all:?}");
    for receiver in [&story.receiver, &wishing] {
        receiver.always(204);
    }
    story.live_until(begun + TimeDelta::hours(25)).await;

    let all = story.by_endpoint().await;
    assert_eq!(all.values().map(Vec::len).collect::<Vec<_>>(), [24, 24]);
    for one in all.values().flatten() {
        assert_eq!((one.state, one.due_at), (DeliveryState::Done, None), "{one:?}");
        keeps_the_schedule(one);
        let last = one.attempts.last().unwrap();
        assert!(last.attempt.started_at - begun >= TimeDelta::hours(23), "it could not arrive sooner: {one:?}");
    }
    for receiver in [&story.receiver, &wishing] {
        let (came, mut ids) = (receiver.came(), HashMap::new());
        for one in &came {
            assert_eq!(
                ids.entry(one.id().to_owned()).or_insert_with(|| one.body.clone()),
                &one.body,
                "an id is one event's"
            );
        }
        assert_eq!(ids.len(), 24);
        assert!(came.len() <= 24 * MOST as usize, "{}", came.len());
    }
    let secret = story.endpoint.secret.clone().unwrap();
    assert!(story.receiver.came().iter().all(|came| verifies(came, &secret)), "in every try");
    let endpoints = story.desk.endpoints(&admin()).await.unwrap();
    assert!(endpoints.iter().all(|one| one.health == EndpointHealth::Healthy && one.waiting == 0), "{endpoints:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_alone_is_tried_thirteen_times_and_then_rests_to_be_retried(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.receiver.always(500);
    let begun = story.door.clock.now();
    story.hear("evt_1").await;
    story.live_until(begun + TimeDelta::hours(30)).await;
    let one = story.the_one().await;
    keeps_the_schedule(&one);
    assert_eq!((one.state, one.attempts.len(), one.due_at), (DeliveryState::Failed, MOST as usize, None), "{one:?}");
    assert_eq!(story.receiver.came().len(), MOST as usize);
    let last = &one.attempts[MOST as usize - 1].attempt;
    let after = last.started_at - begun;
    assert!((LAST..LAST + TimeDelta::minutes(6)).contains(&after), "{after}");
    assert!(one.attempts[1..].iter().all(|sent| sent.attempt.trigger == AttemptTrigger::Schedule));
    assert_eq!(classes(&one), ["http_500"; 13]);

    // a person's retry begins the schedule anew, under the same id
    story.desk.retry_delivery(&admin(), one.id).await.unwrap();
    story.live_until(begun + TimeDelta::hours(31)).await;
    let again = story.the_one().await;
    // due, or waiting while the circuit is open
    assert!(again.id == one.id && matches!(again.state, DeliveryState::Pending | DeliveryState::Waiting), "{again:?}");
    assert!(again.attempts.len() > MOST as usize, "{again:?}");
    story.receiver.always(200);
    story.live_until(begun + TimeDelta::hours(55)).await;
    assert_eq!(story.the_one().await.state, DeliveryState::Done);
    assert!(story.receiver.came().iter().all(|came| came.id() == one.id.to_string()));
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_that_stays_dead_for_good_leaves_a_list_to_be_retried_at_once(pool: PgPool) {
    let story = Story::begin(&pool).await;
    story.receiver.answers(&[String::new()]);
    let begun = story.door.clock.now();
    for n in 0..30 {
        story.hear(&format!("evt_{n}")).await;
        story.live_until(story.door.clock.now() + TimeDelta::minutes(1)).await;
    }
    story.live_until(begun + TimeDelta::hours(26)).await;
    let all = story.deliveries().await;
    assert_eq!(all.len(), 30);
    for one in &all {
        assert_eq!((one.state, one.due_at), (DeliveryState::Failed, None), "{one:?}");
        assert!(one.attempts.len() <= MOST as usize && !classes(one).is_empty(), "{one:?}");
        keeps_the_schedule(one);
    }
    let came = story.receiver.came().len();
    story.live_until(begun + TimeDelta::hours(60)).await;
    assert_eq!(story.receiver.came().len(), came, "they rest");

    // each stands in the list of what failed, and one retry takes them all
    let query = FailureQuery { kind: vec![FailureKind::Delivery], limit: Some(200), ..FailureQuery::default() };
    let listed = story.desk.failures(&admin(), query).await.unwrap().items;
    assert!(listed.len() == 30 && listed.iter().all(|failure| failure.retryable), "{listed:?}");
    story.receiver.always(200);
    // as a person does who has mended it
    for on in [false, true] {
        let patch = EndpointPatch { enabled: Some(on), ..EndpointPatch::default() };
        story.desk.change_endpoint(&admin(), story.endpoint.id, patch).await.unwrap();
    }
    let wish = serde_json::from_value(json!({"filter": {"kind": "delivery"}, "rate": 10_000})).unwrap();
    let retry = story.desk.start_retry(&admin(), wish).await.unwrap();
    assert_eq!(retry.total, 30);
    let worker = RetryWorker::new(pool.clone(), story.door.clock.clone(), Arc::default());
    for _ in 0..8 {
        while worker.step().await.unwrap() == Step::Busy {}
        story.later(TimeDelta::seconds(1)).await;
    }
    let retry = story.desk.retry(&admin(), retry.id.unwrap()).await.unwrap();
    assert_eq!((retry.done, retry.failed, retry.remaining), (30, 0, 0), "{retry:?}");
    assert!(story.deliveries().await.iter().all(|one| one.state == DeliveryState::Done));
}
