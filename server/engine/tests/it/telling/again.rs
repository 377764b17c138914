//! Messages that were not sent: one kind of what failed, found and tried again like all of it.

use super::{Receiver, Telling};
use crate::failed::viewer;
use crate::world::admin;
use chrono::TimeDelta;
use engine::clock::{Clock as _, new_id};
use engine::work::{RetryWorker, Step};
use model::{AttemptTrigger, Backend as _, BulkState, ChannelId, FailureKind, FailureQuery, NotificationState, Retry};
use serde_json::json;
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

impl Telling {
    fn retries(&self) -> RetryWorker {
        RetryWorker::new(self.pool.clone(), self.clock.clone(), Arc::default())
    }

    async fn retry(&self, wish: serde_json::Value) -> Retry {
        self.desk.start_retry(&admin(), serde_json::from_value(wish).unwrap()).await.unwrap()
    }

    async fn listed(&self, query: &str) -> Vec<model::Failure> {
        self.desk.failures(&viewer(), FailureQuery::from_query(query).unwrap()).await.unwrap().items
    }

    /// A message that rests as failed; `instead_of` and `told_in` as they are given.
    async fn dead(&self, channel: ChannelId, reason: &str, links: (Option<Uuid>, Option<Uuid>)) -> Uuid {
        let (id, now) = (new_id(), self.clock.now());
        let content = engine::notify::sample("hook", "https://linewatch.example", now);
        sqlx::query(
            "insert into notification (id, channel_id, alert_ids, reason, subject, content, state, created_at, failed_at, error_class, \
             error_message, instead_of, told_in) values ($1, $2, '{}', $3, 'Unwell', $4, 'failed', $5, $5, 'answer', 'It said no', $6, $7)",
        )
        .bind(id)
        .bind(channel.0)
        .bind(reason)
        .bind(serde_json::to_value(content).unwrap())
        .bind(now)
        .bind(links.0)
        .bind(links.1)
        .execute(&self.pool)
        .await
        .unwrap();
        id
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_not_told_is_listed_and_tried_again_in_one_go(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    receiver.will_answer(&[(404, None); 3]);
    let channel = world.channel("hook", &receiver.start().await).await;
    world.each_by_itself().await;
    for name in ["till-one", "till-two", "till-three"] {
        world.fire(name).await;
        world.pass(3).await;
    }
    let failed = world.listed("kind=notification").await;
    assert_eq!(failed.len(), 3);
    let first = &failed[0];
    assert_eq!(first.channel.as_ref().map(|one| (one.id, one.name.as_str())), Some((channel.id, "hook")));
    assert_eq!((first.attempts_count, first.next_due_at, first.retryable), (1, None, true));
    assert!(first.what.as_ref().unwrap().contains("till-three") && first.error.message.contains("404"), "{first:?}");
    assert!(world.listed("kind=delivery").await.is_empty() && world.listed("source=makini").await.is_empty());
    assert_eq!(world.listed(&format!("error={}", first.error.class)).await.len(), 3);
    let found = world.desk.failures(&admin(), FailureQuery::from_query("q=TILL-ONE").unwrap()).await.unwrap();
    assert_eq!(found.items.len(), 1, "what it says is searched");
    let summary = world.desk.failure_summary(&viewer(), FailureQuery::default()).await.unwrap();
    assert_eq!(summary.counts.into_iter().collect::<Vec<_>>(), [(FailureKind::Notification, 3)]);
    assert_eq!(summary.errors, std::slice::from_ref(&first.error.class));
    let groups = world.desk.failure_groups(&viewer(), FailureQuery::default()).await.unwrap();
    assert_eq!((groups.len(), groups[0].count, groups[0].retryable), (1, 3, true));
    assert_eq!(groups[0].channel.as_ref().map(|one| one.name.as_str()), Some("hook"));
    let shown = world.desk.notification(&viewer(), first.id.into()).await.unwrap();
    assert!(shown.text.unwrap().contains("till-three"));

    let preview = world.retry(json!({"filter": {"kind": "notification"}, "dry_run": true})).await;
    assert_eq!((preview.total, preview.let_go), (3, 0));
    let retry = world.retry(json!({"filter": {"kind": "notification"}})).await;
    // a person was faster with one of them
    world.desk.retry_notification(&admin(), failed[2].id.into()).await.unwrap();
    world.pass(0).await;
    assert_eq!(world.retries().step().await.unwrap(), Step::Busy);
    world.settle().await;
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(world.retries().step().await.unwrap(), Step::Busy);
    let seen = world.desk.retry(&viewer(), retry.id.unwrap()).await.unwrap();
    assert_eq!((seen.state, seen.done, seen.skipped, seen.let_go), (Some(BulkState::Done), 2, 1, 2));
    assert_eq!(receiver.count(), 6, "each was told once");
    let again = world.desk.notification(&admin(), first.id.into()).await.unwrap();
    let last = again.attempts.last().unwrap();
    assert_eq!(
        (again.state, last.trigger, last.by.as_deref()),
        (NotificationState::Sent, AttemptTrigger::Bulk, Some("story"))
    );
    assert!(world.listed("").await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn nobody_is_told_twice_by_it(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    let url = receiver.start().await;
    let (one, other) = (world.channel("one", &url).await.id, world.channel("other", &url).await.id);
    let message = world.dead(one, "first", (None, None)).await;
    let copy = world.dead(other, "first", (Some(message), None)).await;
    let digest = world.dead(one, "digest", (None, None)).await;
    world.dead(one, "first", (None, Some(digest))).await;
    world.dead(one, "test", (None, None)).await;
    let told_by_other = world.dead(one, "first", (None, None)).await;
    let sent = world.dead(other, "first", (Some(told_by_other), None)).await;
    sqlx::query("update notification set state = 'sent', failed_at = null where id = $1")
        .bind(sent)
        .execute(&world.pool)
        .await
        .unwrap();
    let mut listed: Vec<_> = world.listed("").await.iter().map(|one| one.id).collect();
    listed.sort_unstable();
    let mut kept = [message, copy, digest, told_by_other];
    kept.sort_unstable();
    assert_eq!(listed, kept, "neither a test nor what a digest stands for");
    let preview = world.retry(json!({"filter": {}, "dry_run": true})).await;
    assert_eq!(preview.total, 2, "of a message and its copy one; of what was told none");

    // two people, one with the message and one with its copy: only the first that is let go is told
    let mine = world.retry(json!({"filter": {"id": [message]}})).await;
    let theirs = world.retry(json!({"filter": {"id": [copy]}})).await;
    assert_eq!((mine.total, theirs.total), (1, 1));
    let (first, second) = (world.retries(), world.retries());
    let (first, second) = tokio::join!(first.step(), second.step());
    assert_eq!((first.unwrap(), second.unwrap()), (Step::Busy, Step::Busy));
    let looked = async |retry: &Retry| world.desk.retry(&admin(), retry.id.unwrap()).await.unwrap();
    assert_eq!(looked(&mine).await.let_go + looked(&theirs).await.let_go, 1);
    world.settle().await;
    assert_eq!(receiver.count(), 1);

    // what retries wait for by a channel that is taken away is not waited for any longer
    let rest = world.retry(json!({"filter": {"id": [digest]}})).await;
    assert_eq!(world.retries().step().await.unwrap(), Step::Busy);
    assert_eq!(looked(&rest).await.remaining, 1);
    let mut conn = world.pool.acquire().await.unwrap();
    assert!(engine::store::channel::remove(&mut conn, one, world.clock.now()).await.unwrap());
    assert_eq!(looked(&rest).await.failed, 1);
    assert!(world.listed(&format!("id={digest}")).await.iter().all(|one| !one.retryable));
}
