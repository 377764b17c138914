//! Changes, from a commit to those who listen.

use crate::door::until;
use engine::live::{self, Live, Numbered, Since};
use model::{Change, ChangeTopic};
use sqlx::{Connection, PgPool};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;

fn change(topic: ChangeTopic, id: usize) -> Change {
    Change::new(topic, id, 1)
}

async fn next(changes: &mut Receiver<Numbered>) -> Change {
    tokio::time::timeout(Duration::from_secs(5), changes.recv()).await.unwrap().unwrap().change
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_is_heard_when_it_is_committed_and_not_before(pool: PgPool) {
    let cancel = CancellationToken::new();
    let live = Live::start(&pool, cancel.clone());
    live.ready().await;
    let mut changes = live.subscribe();
    let mut conn = pool.acquire().await.unwrap();

    let mut undone = conn.begin().await.unwrap();
    live::announce(&mut undone, &[change(ChangeTopic::Issue, 1)]).await.unwrap();
    undone.rollback().await.unwrap();

    let many: Vec<_> =
        (0..51).map(|n| change(ChangeTopic::Connection, n)).chain([change(ChangeTopic::Outage, 7)]).collect();
    let mut done = conn.begin().await.unwrap();
    live::announce(&mut done, &many).await.unwrap();
    assert!(changes.try_recv().is_err());
    done.commit().await.unwrap();
    assert_eq!(next(&mut changes).await, Change::many(ChangeTopic::Connection));
    assert_eq!(next(&mut changes).await, change(ChangeTopic::Outage, 7));
    live::announce(&mut conn, &[]).await.unwrap();
    assert!(changes.try_recv().is_err());
    cancel.cancel();
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_a_gap_everything_counts_as_changed(pool: PgPool) {
    let cancel = CancellationToken::new();
    let live = Live::start(&pool, cancel.clone());
    live.ready().await;
    let mut changes = live.subscribe();
    let mut conn = pool.acquire().await.unwrap();
    live::announce(&mut conn, &[change(ChangeTopic::Event, 1)]).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(5), changes.recv()).await.unwrap().unwrap();

    let killed: bool = sqlx::query_scalar(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'LISTEN%'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert!(killed);
    for topic in ChangeTopic::ALL {
        assert_eq!(next(&mut changes).await, Change::many(*topic));
    }
    let Since::Missed(missed) = live.since(&live.id(heard.n)) else { panic!("the ring reaches back") };
    assert_eq!(missed.len(), ChangeTopic::ALL.len());

    // and it listens again
    until(async || live.is_listening()).await;
    live::announce(&mut conn, &[change(ChangeTopic::Event, 2)]).await.unwrap();
    assert_eq!(next(&mut changes).await, change(ChangeTopic::Event, 2));
    cancel.cancel();
}
