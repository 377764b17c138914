//! What feeds a connection, and whether its webhooks have stopped: its own, or all of them.

use crate::world::{SECRET, World, admin, calm, signed};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{SharedClock, TestClock},
    housekeeping,
    live::Live,
    poll::{Poller, Upstreams},
    store::hearing,
    webhook::{Door, DoorLimits, process::Processor},
    work::{Step, Workers},
};
use model::{Backend, Cause, Connection, ConnectionDetail, DataFlow, Health, SourcePatch};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// So long webhooks come every hour before anything happens: a week and a weekend.
const HOURS: i64 = 9 * 24;
/// Hourly webhooks are missed after four hours, and one more in which the door may have been shut.
const PATIENCE: TimeDelta = TimeDelta::hours(5);

/// A world whose door, work and looks have a clock of their own.
struct Fed {
    world: World,
    clock: Arc<TestClock>,
    shared: SharedClock,
    poller: Poller,
    processor: Processor,
    live: Live,
    told: u32,
    _cancel: tokio_util::sync::DropGuard,
}

impl Fed {
    async fn new(pool: PgPool, began_at: impl FnOnce(DateTime<Utc>) -> DateTime<Utc>) -> Self {
        let world = World::with(pool.clone(), simulator::Options { connections: 20, ..calm() }).await;
        let patch = SourcePatch { proof_allowance_seconds: Some(3_600), ..SourcePatch::default() };
        world.desk.change_source(&admin(), world.source.id, patch).await.unwrap();
        let began_at = began_at(world.clock.now());
        for day in 0..12 {
            let mut conn = pool.acquire().await.unwrap();
            housekeeping::ensure_partitions(&mut conn, began_at + TimeDelta::days(day)).await.unwrap();
        }
        let clock = TestClock::at(began_at);
        let shared: SharedClock = clock.clone();
        let (vault, outbound) = (world.desk.vault.clone(), world.desk.outbound.clone());
        let upstreams = Upstreams::new(pool.clone(), Arc::clone(&shared), vault, outbound);
        let checks = Arc::new(Notify::new());
        let cancel = CancellationToken::new();
        let live = Live::start(&pool, cancel.clone());
        live.ready().await;
        let fed = Self {
            poller: Poller::new(pool.clone(), Arc::clone(&shared), upstreams, Arc::clone(&checks)),
            processor: Processor::new(pool, Arc::clone(&shared), checks),
            world,
            clock,
            shared,
            live,
            told: 0,
            _cancel: cancel.drop_guard(),
        };
        fed.look().await;
        fed
    }

    /// A round now, and everything that the clock alone does.
    async fn look(&self) {
        let pool = &self.world.pool;
        sqlx::query("update source set due_at = '2000-01-01', lease_until = null").execute(pool).await.unwrap();
        assert_eq!(self.poller.round().await.unwrap(), Step::Busy);
        while Workers::judge_due(pool, &self.shared).await.unwrap() == Step::Busy {}
    }

    /// So many hours pass. In each comes a webhook of this event about each of these.
    async fn hours(&mut self, hours: i64, event: &str, about: &[&Connection]) {
        let door = Door::new(
            self.world.pool.clone(),
            self.world.desk.vault.clone(),
            Arc::clone(&self.shared),
            &self.live,
            Arc::default(),
            DoorLimits::default(),
        );
        for _ in 0..hours {
            self.clock.advance(TimeDelta::hours(1));
            for one in about {
                self.told += 1;
                let now = self.shared.now();
                let body: Value = json!({"id": format!("evt_{}", self.told), "event": event, "timestamp": now,
                    "connection_id": one.key, "data": {"finished_at": now}});
                let body = Bytes::from(body.to_string());
                door.accept(&self.world.source.name, &signed(SECRET, &body), body).await.unwrap();
            }
            while self.processor.step().await.unwrap() == Step::Busy {}
        }
        // what came is counted when the door is shut, at the latest
        tokio::time::timeout(Duration::from_secs(30), door.shutdown()).await.expect("the door shuts");
    }

    async fn shown(&self, one: &Connection) -> ConnectionDetail {
        self.world.connection(one.id).await
    }

    /// Its health and its cause.
    async fn state(&self, one: &Connection) -> (Health, Option<Cause>) {
        let shown = self.shown(one).await.connection;
        (shown.health, shown.cause.map(|cause| cause.code))
    }

    async fn blamed(&self) -> i64 {
        self.world.count("transition where cause = 'silent'").await
    }

    async fn two(&self) -> (Connection, Connection) {
        let all = self.world.connections().await;
        let mut well = all.into_iter().filter(|one| one.health == Health::Healthy);
        (well.next().expect("one is healthy"), well.next().expect("two are healthy"))
    }
}

const SILENT: (Health, Option<Cause>) = (Health::Late, Some(Cause::Silent));
const WELL: (Health, Option<Cause>) = (Health::Healthy, None);
const UNPROVED: (Health, Option<Cause>) = (Health::Unknown, Some(Cause::NoProof));

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_fed_in_real_time_is_judged_by_its_webhooks(pool: PgPool) {
    // from now on nothing syncs any more, as far as the simulator tells
    let mut fed = Fed::new(pool, |now| now).await;
    let (one, other) = fed.two().await;
    let word = "work_orders.updated";
    fed.hours(HOURS, word, &[&one, &other]).await;
    fed.look().await;
    let shown = fed.shown(&one).await;
    assert_eq!(fed.state(&one).await, WELL, "its last good sync is nine days old: {shown:?}");
    let pulse = shown.connection.real_time.expect("it is known to be fed in real time");
    assert_eq!((pulse.pause_seconds, pulse.webhooks), (3_600, HOURS - 1));
    assert_eq!((shown.connection.cadence_seconds, pulse.last_at), (None, Some(fed.shared.now())));
    assert_eq!(shown.late_at, Some(fed.shared.now() + PATIENCE));
    let third = fed.world.connections().await.into_iter().find(|third| third.id != one.id && third.id != other.id);
    assert_eq!(third.unwrap().health, Health::Late, "who is fed by syncs is late without them");
    assert_eq!(fed.world.count("event_end where state <> 'processed'").await, 0);

    fed.hours(4, word, &[&other]).await;
    fed.look().await;
    assert_eq!(fed.state(&one).await, WELL, "there is still time");
    fed.hours(1, word, &[&other]).await;
    fed.look().await;
    assert_eq!((fed.state(&one).await, fed.state(&other).await), (SILENT, WELL));
    let shown = fed.shown(&one).await.connection;
    let said = shown.cause.unwrap().summary;
    assert!(said.contains("about one every 60 min, learned from 215, and none since"), "{said}");
    assert!(said.contains("fed by them"), "{said}");
    assert_eq!(shown.data_flow, DataFlow::Late);
    assert_eq!(fed.world.count("issue where cause = 'silent' and state = 'open'").await, 1);
    let version = shown.version;
    fed.hours(1, word, &[&other]).await;
    fed.look().await;
    assert_eq!(fed.shown(&one).await.connection.version, version, "said once, not in every round");

    fed.hours(1, word, &[&one, &other]).await;
    assert_eq!(fed.state(&one).await, WELL, "its webhook is the proof");
    assert_eq!(fed.blamed().await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_silent_source_blames_none_of_its_connections(pool: PgPool) {
    let mut fed = Fed::new(pool, |now| now).await;
    let (one, other) = fed.two().await;
    let word = "assets.created";
    fed.hours(HOURS, word, &[&one, &other]).await;
    // ours stops two hours before all the others do
    fed.hours(2, word, &[&other]).await;
    for _ in 0..3 {
        fed.hours(4, word, &[]).await;
        fed.look().await;
    }
    assert_eq!((fed.state(&one).await, fed.state(&other).await), (UNPROVED, UNPROVED), "nobody knows");
    let stopped = hearing::stopped(&mut fed.world.pool.acquire().await.unwrap(), fed.shared.now()).await.unwrap();
    assert_eq!(
        stopped.iter().map(|stopped| (stopped.source, stopped.fed)).collect::<Vec<_>>(),
        [(fed.world.source.id, 2)]
    );
    fed.hours(1, word, &[&other]).await;
    fed.look().await;
    assert_eq!((fed.state(&one).await, fed.state(&other).await), (UNPROVED, WELL), "it may need a while, too");
    let stopped = hearing::stopped(&mut fed.world.pool.acquire().await.unwrap(), fed.shared.now()).await.unwrap();
    assert!(stopped.is_empty(), "they come again");
    fed.hours(4, word, &[&other]).await;
    fed.look().await;
    assert_eq!(fed.state(&one).await, UNPROVED);
    assert_eq!((fed.blamed().await, fed.world.count("issue where cause = 'silent'").await), (0, 0));
    fed.hours(1, word, &[&other]).await;
    fed.look().await;
    assert_eq!(fed.state(&one).await, SILENT, "the others have come for long enough");
}

/// Nine days of webhooks about syncs until eight hours ago; then those of one stop, or all of them; now both sync.
async fn synced(pool: PgPool, goes_on: bool) -> (Fed, Connection, Connection) {
    let mut fed = Fed::new(pool, |now| now - TimeDelta::hours(HOURS + 8)).await;
    let (one, other) = fed.two().await;
    fed.hours(HOURS, "sync.completed", &[&one, &other]).await;
    if goes_on {
        fed.hours(8, "sync.completed", &[&other]).await;
    }
    for connection in [&one, &other] {
        fed.world.act(&connection.key, "finish_sync").await;
    }
    fed.clock.set(fed.world.clock.now());
    fed.look().await;
    (fed, one, other)
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_syncs_without_its_usual_webhooks_is_silent(pool: PgPool) {
    let (mut fed, one, other) = synced(pool, true).await;
    assert_eq!((fed.state(&one).await, fed.state(&other).await), (SILENT, WELL));
    let shown = fed.shown(&one).await;
    assert_eq!(shown.connection.real_time, None);
    let pulse = shown.webhooks.expect("how they came is known");
    assert_eq!((pulse.pause_seconds, pulse.webhooks), (3_600, HOURS - 1));
    let said = shown.connection.cause.unwrap().summary;
    assert!(said.contains("polls find that it still syncs"), "{said}");

    fed.hours(1, "sync.completed", &[&one]).await;
    assert_eq!(fed.state(&one).await, WELL, "its webhook ends it");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_silent_source_does_not_make_what_syncs_silent(pool: PgPool) {
    let (fed, one, other) = synced(pool, false).await;
    assert_eq!((fed.state(&one).await, fed.state(&other).await), (WELL, WELL), "polls see both");
    assert_eq!(fed.blamed().await, 0);
}
