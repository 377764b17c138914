//! When we cannot look: what stands, what fades, and what the first look afterwards finds.

use crate::world::{World, admin, calm};
use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    clock::{SharedClock, TestClock},
    housekeeping,
    poll::{Poller, Upstreams},
    work::{Step, Workers},
};
use model::{Backend, Cause, Health, SourcePatch};
use serde_json::json;
use sqlx::PgPool;
use std::sync::Arc;

/// After ten minutes without a sync a connection is late; a proof may be an hour old.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
const ALLOWANCE: TimeDelta = TimeDelta::hours(1);

/// A world whose looking has a clock of its own.
struct Blind {
    world: World,
    clock: Arc<TestClock>,
    shared: SharedClock,
    poller: Poller,
}

impl Blind {
    async fn new(pool: PgPool, patience: TimeDelta, began_at: impl FnOnce(DateTime<Utc>) -> DateTime<Utc>) -> Self {
        let world = World::with(pool.clone(), simulator::Options { connections: 60, ..calm() }).await;
        let patch = SourcePatch {
            cadence_seconds: Some(Some(patience.num_seconds())),
            late_factor: Some(1.0),
            late_grace_seconds: Some(0),
            proof_allowance_seconds: Some(ALLOWANCE.num_seconds()),
            ..SourcePatch::default()
        };
        world.desk.change_source(&admin(), world.source.id, patch).await.unwrap();
        let began_at = began_at(world.clock.now());
        housekeeping::ensure_partitions(&mut pool.acquire().await.unwrap(), began_at).await.unwrap();
        let clock = TestClock::at(began_at);
        let shared: SharedClock = clock.clone();
        let (vault, outbound) = (world.desk.vault.clone(), world.desk.outbound.clone());
        let upstreams = Upstreams::new(pool.clone(), Arc::clone(&shared), vault, outbound);
        let poller = Poller::new(pool, Arc::clone(&shared), upstreams, Arc::clone(&world.desk.checks));
        Self { world, clock, shared, poller }
    }

    /// A round now, and everything that the clock alone does. Whether the round went well.
    async fn round(&self) -> bool {
        let pool = &self.world.pool;
        sqlx::query("update source set due_at = '2000-01-01', lease_until = null").execute(pool).await.unwrap();
        assert_eq!(self.poller.round().await.unwrap(), Step::Busy);
        while Workers::judge_due(pool, &self.shared).await.unwrap() == Step::Busy {}
        while Workers::fade_due(pool, &self.shared).await.unwrap() == Step::Busy {}
        self.world.desk.source(&admin(), self.world.source.id).await.unwrap().round.failing_since.is_none()
    }

    async fn healths(&self) -> Vec<Health> {
        self.world.connections().await.into_iter().map(|connection| connection.health).collect()
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_outage_makes_nobody_late_and_the_first_round_after_it_finds_who_is(pool: PgPool) {
    // three days ago all had just synced, as far as anybody could know then
    let blind = Blind::new(pool, PATIENCE, |now| now - TimeDelta::days(3)).await;
    assert!(blind.round().await);
    assert_eq!(blind.healths().await, [Health::Healthy; 60]);

    blind.world.sim("/_sim/faults", json!({"fault": "outage", "value": 1, "scope": "all"})).await;
    for _ in 0..4 {
        blind.clock.advance(TimeDelta::minutes(14));
        assert!(!blind.round().await, "upstream is down");
        assert_eq!(blind.healths().await, [Health::Healthy; 60], "their deadlines passed, but nobody could look");
    }
    blind.clock.advance(TimeDelta::minutes(5));
    assert!(!blind.round().await);
    for connection in blind.world.connections().await {
        assert_eq!((connection.health, connection.cause.unwrap().code), (Health::Unknown, Cause::NoProof));
    }
    assert_eq!(blind.world.count("transition where to_health = 'late'").await, 0);

    let url = format!("{}/_sim/faults", blind.world.makini.url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(client.delete(url).send().await.unwrap().status().is_success());
    let synced = blind.world.connections().await[0].clone();
    blind.world.act(&synced.key, "finish_sync").await;
    blind.clock.set(blind.world.clock.now());
    assert!(blind.round().await);
    let mut late = 0;
    for connection in blind.world.connections().await {
        let (good, proof) = (connection.last_good_sync_at.unwrap(), connection.proof.unwrap());
        let is_late = proof.at >= good + PATIENCE;
        late += usize::from(is_late);
        assert_eq!(connection.health, if is_late { Health::Late } else { Health::Healthy }, "{}", connection.key);
    }
    assert!(late > 0, "of sixty with cadences of many minutes, one is late");
    assert_eq!(blind.world.connection(synced.id).await.connection.health, Health::Healthy, "it synced meanwhile");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_round_that_only_confirms_finds_who_has_become_late(pool: PgPool) {
    let patience = TimeDelta::days(2);
    let blind = Blind::new(pool, patience, |now| now).await;
    assert!(blind.round().await);
    assert_eq!(blind.healths().await, [Health::Healthy; 60]);
    let transitions = blind.world.count("transition").await;

    blind.clock.advance(patience + TimeDelta::hours(1));
    // no round writes evidence only because it has long written none
    sqlx::query("update connection_proof set recorded_at = now() + interval '9 days'")
        .execute(&blind.world.pool)
        .await
        .unwrap();
    assert_eq!(Workers::judge_due(&blind.world.pool, &blind.shared).await.unwrap(), Step::Idle);
    assert_eq!(blind.healths().await, [Health::Healthy; 60], "the clock alone makes nobody late");
    assert!(blind.round().await);
    assert_eq!(blind.healths().await, [Health::Late; 60]);
    assert_eq!(blind.world.count("transition").await, transitions + 60);

    blind.clock.advance(TimeDelta::minutes(1));
    assert!(blind.round().await);
    assert_eq!(blind.world.count("transition").await, transitions + 60, "late once, not in every round");
}
