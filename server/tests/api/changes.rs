//! The stream of changes.

use crate::caller::Caller;
use crate::world::World;
use engine::live::announce;
use model::{Change, ChangeTopic};
use sqlx::PgPool;
use std::time::{Duration, Instant};

/// An open stream, read event by event.
struct Stream {
    response: reqwest::Response,
    buffer: String,
}

/// One event: its lines by name.
#[derive(Debug, Default, PartialEq)]
struct Said {
    event: String,
    id: String,
    data: String,
}

impl Stream {
    async fn open(caller: &Caller) -> Self {
        let response = caller.request("GET", "/api/v1/changes").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
        Self { response, buffer: String::new() }
    }

    /// The next block, comments and all; none at the end.
    async fn block(&mut self, patience: Duration) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let block = block.to_owned();
                self.buffer = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(patience, self.response.chunk())
                .await
                .expect("something in time")
                .ok()
                .flatten()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event.
    async fn next(&mut self) -> Said {
        loop {
            let block = self.block(Duration::from_secs(5)).await.expect("not the end");
            let line = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                    .unwrap_or_default()
                    .to_owned()
            };
            let said = Said { event: line("event"), id: line("id"), data: line("data") };
            if !said.event.is_empty() {
                return said;
            }
        }
    }

    async fn ends(mut self, patience: Duration) {
        let ended = async { while self.block(patience).await.is_some() {} };
        tokio::time::timeout(patience, ended).await.expect("ends in time");
    }
}

async fn say(world: &World, id: &str, version: i64) {
    let change = Change::new(ChangeTopic::Connection, id, version);
    announce(&mut world.parts.pool.acquire().await.unwrap(), &[change]).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn the_first_at_once_then_together(pool: PgPool) {
    let world = World::new(pool).await;
    let mut stream = Stream::open(&world.machine()).await;
    let began = Instant::now();
    say(&world, "a", 1).await;
    let first = stream.next().await;
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
    assert_eq!(first.event, "change");
    assert_eq!(first.data, r#"{"topic":"connection","id":"a","version":1}"#);
    for version in 2..=9 {
        say(&world, "a", version).await;
        say(&world, "b", version).await;
    }
    let (a, b) = (stream.next().await, stream.next().await);
    assert_eq!(a.data, r#"{"topic":"connection","id":"a","version":9}"#, "each thing once, as it is now");
    assert_eq!(b.data, r#"{"topic":"connection","id":"b","version":9}"#);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_missed_comes_first(pool: PgPool) {
    let world = World::new(pool).await;
    let mut stream = Stream::open(&world.machine()).await;
    say(&world, "a", 1).await;
    let seen = stream.next().await;
    drop(stream);
    say(&world, "b", 1).await;
    say(&world, "c", 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let mut back = Stream::open(&world.machine().with("last-event-id", &seen.id)).await;
    let missed = [back.next().await, back.next().await];
    assert!(missed[0].data.contains("\"b\"") && missed[1].data.contains("\"c\""), "{missed:?}");
    say(&world, "d", 1).await;
    assert!(back.next().await.data.contains("\"d\""));

    for unknown in ["another-boot-1", "nonsense"] {
        let mut lost = Stream::open(&world.machine().with("last-event-id", unknown)).await;
        assert_eq!(lost.next().await.event, "reset", "{unknown}");
    }
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn shows_that_it_lives(pool: PgPool) {
    let world = World::new(pool).await;
    let mut stream = Stream::open(&world.machine()).await;
    assert!(stream.block(Duration::from_secs(1)).await.unwrap().starts_with("retry: 2000"));
    let began = Instant::now();
    let sign = stream.block(Duration::from_secs(17)).await.unwrap();
    assert!(sign.starts_with("event: heartbeat"), "{sign:?}");
    assert!(began.elapsed() > Duration::from_secs(14), "after {:?}", began.elapsed());
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn ends_with_the_session(pool: PgPool) {
    let world = World::new(pool).await;
    let admin = world.admin().await;
    let stream = Stream::open(&admin).await;
    assert_eq!(admin.call("POST", "/logout").await.status, 303);
    stream.ends(Duration::from_secs(32)).await;
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn ends_when_linewatch_stops(pool: PgPool) {
    let world = World::new(pool).await;
    let stream = Stream::open(&world.machine()).await;
    world.life.soft.cancel();
    stream.ends(Duration::from_secs(2)).await;
    world.stop().await;
}
