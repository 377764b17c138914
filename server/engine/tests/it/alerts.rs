//! Rules and alerts, with a clock that is moved by hand.

use crate::world::admin;
use chrono::{DateTime, TimeDelta, Utc};
use engine::alert::{Evaluator, ensure_shipped};
use engine::clock::{Clock as _, SharedClock, TestClock, new_id};
use engine::desk::Desk;
use engine::health::{self, Facts, Flow, FlowFact, OutagePolicy, Policy, Sighted, Sighting};
use engine::http::Outbound;
use engine::poll::Upstreams;
use engine::vault::{MasterKey, Vault};
use engine::{housekeeping, work::Step};
use model::{
    Alert, AlertQuery, AlertState, Authorization, Backend, ConnectionId, CustomerPatch, Eye, Health, MutedBy, NewRule,
    PreviewWish, Refusal, Rule, RulePatch, Scope, SubjectKind, When, WhenKind,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

pub const SOURCE: Uuid = Uuid::from_u128(1);
pub const MINUTE: TimeDelta = TimeDelta::minutes(1);
const OUTAGES: OutagePolicy =
    OutagePolicy { at_least: 5, percent: 30, window: TimeDelta::seconds(60), hold: TimeDelta::minutes(5) };

/// Whom a rule fired for, from when, until when.
pub type Firing = (String, DateTime<Utc>, Option<DateTime<Utc>>);

/// Connections of two platforms through one source, and who looks at their alerts.
pub struct Fleet {
    pub pool: PgPool,
    pub clock: Arc<TestClock>,
    pub desk: Desk,
    pub alerts: Evaluator,
    pub ids: Vec<ConnectionId>,
}

/// What is seen of a connection.
#[derive(Clone, Copy)]
pub enum Now {
    Well,
    Offline,
    SignIn,
    Unknown,
}

impl Fleet {
    pub async fn new(pool: PgPool, connections: usize) -> Self {
        let clock = TestClock::at("2026-10-01T08:00:00Z".parse().unwrap());
        let shared: SharedClock = Arc::clone(&clock) as SharedClock;
        let vault = Vault::new(MasterKey::generate(), Arc::clone(&shared));
        let outbound = Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let upstreams = Upstreams::new(pool.clone(), Arc::clone(&shared), vault.clone(), outbound.clone());
        let sender = engine::notify::Sender::new(
            pool.clone(),
            Arc::clone(&shared),
            vault.clone(),
            &outbound,
            None,
            "https://linewatch.example",
        );
        let desk = Desk {
            sender,
            pool: pool.clone(),
            clock: Arc::clone(&shared),
            vault,
            outbound,
            upstreams,
            public_url: "https://linewatch.example".to_owned(),
            version: "0.0.0",
            certificate: tokio::sync::watch::channel(None).1,
            rounds: Arc::default(),
            checks: Arc::default(),
            events: Arc::default(),
        };
        let ids: Vec<ConnectionId> = (0..connections).map(|_| ConnectionId(new_id())).collect();
        let fleet = Self { alerts: Evaluator::new(pool.clone(), shared), pool, clock, desk, ids };
        fleet.room().await;
        fleet.settle_in().await;
        let all: Vec<usize> = (0..connections).collect();
        fleet.see(&all, Now::Well).await;
        fleet.look().await;
        fleet
    }

    pub async fn room(&self) {
        housekeeping::ensure_partitions(&mut self.pool.acquire().await.unwrap(), self.clock.now()).await.unwrap();
    }

    async fn settle_in(&self) {
        let now = self.clock.now();
        sqlx::query(
            "insert into source (id, name, environment, dialect, base_url, client_id, token_ownership, customer_key, poll_interval_seconds, \
             rate_per_minute, late_factor, late_grace_seconds, proof_allowance_seconds, mappings, created_at, updated_at, due_at) \
             values ($1, 'makini', 'production', 'faq_v1', 'https://makini.example', 'id', 'linewatch', 'customer', 60, 600, 2, 300, 86400, \
             $3, $2, $2, $2)",
        )
        .bind(SOURCE)
        .bind(now)
        .bind(sqlx::types::Json(model::Mappings::default()))
        .execute(&self.pool)
        .await
        .unwrap();
        sqlx::query("insert into platform (slug, name) values ('sap', 'SAP'), ('netsuite', 'NetSuite')")
            .execute(&self.pool)
            .await
            .unwrap();
        sqlx::query(
            "with wanted as (select id, 'Customer ' || n - 1 as name, case when n % 2 = 1 then 'sap' else 'netsuite' end as platform \
               from unnest($1::uuid[]) with ordinality as t (id, n)), \
             customer as (insert into customer (id, key, name, created_at) select id, name, name, $2 from wanted returning id, name) \
             insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at, \
             authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search, \
             first_seen_at, version, updated_at) select w.id, $3, w.name, w.name, c.id, w.platform, 'unknown', $2, 'poll', 'unknown', $2, \
             'poll', 'unknown', 'unknown', 'unknown', 5, $2, '', $2, 0, $2 from wanted w join customer c on c.id = w.id",
        )
        .bind(self.ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(now)
        .bind(SOURCE)
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// A poll finds these connections so, now.
    pub async fn see(&self, which: &[usize], how: Now) {
        let now = self.clock.now();
        let sighted: Vec<Sighted> = which
            .iter()
            .map(|n| {
                let (authorization, flow) = match how {
                    Now::Well => (Authorization::Authorized, Flow::Good),
                    Now::Offline => (Authorization::Authorized, Flow::Offline),
                    Now::SignIn => (Authorization::ReauthorizationRequired, Flow::Good),
                    Now::Unknown => (Authorization::Authorized, Flow::Unknown),
                };
                Sighted {
                    connection: self.ids[*n],
                    received_at: now,
                    sighting: Sighting {
                        eye: Eye::Poll,
                        at: now,
                        own_at: None,
                        facts: Facts {
                            authorization: Some((authorization, None)),
                            flow: Some((FlowFact::Is(flow), None)),
                            last_good_sync_at: Some(now),
                            ..Facts::default()
                        },
                    },
                    skew: TimeDelta::zero(),
                    policy: Policy {
                        cadence_default: None,
                        late_factor: 2.0,
                        late_grace: TimeDelta::seconds(300),
                        proof_allowance: TimeDelta::days(40),
                        hearing: None,
                    },
                    raw_status: None,
                    description: None,
                    upstream_error: None,
                    event: None,
                }
            })
            .collect();
        let mut tx = self.pool.begin().await.unwrap();
        health::observe(&mut tx, &sighted, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Looks until there is nothing to do.
    pub async fn look(&self) {
        while self.alerts.step().await.unwrap() == Step::Busy {}
        while self.alerts.sweep(true).await.unwrap() == Step::Busy {}
        while self.alerts.step().await.unwrap() == Step::Busy {}
    }

    /// Time passes, and somebody looks.
    pub async fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.look().await;
    }

    pub async fn rule(&self, when: When, set: impl FnOnce(&mut NewRule)) -> Rule {
        let mut new = written(when);
        set(&mut new);
        let rule = self.desk.add_rule(&admin(), new).await.unwrap();
        self.look().await;
        rule
    }

    pub async fn list(&self, state: &[AlertState]) -> Vec<Alert> {
        let query = AlertQuery { state: state.to_vec(), limit: Some(200), ..AlertQuery::default() };
        self.desk.alerts(&admin(), query).await.unwrap().items
    }

    /// The preview of a rule over the last month has just the firings that there were; how many.
    pub async fn preview_is_what_was(&self, rule: &Rule) -> usize {
        let wish = PreviewWish {
            rule: NewRule {
                for_seconds: Some(rule.for_seconds),
                hold_seconds: Some(rule.hold_seconds),
                scope: rule.scope.clone(),
                ..written(rule.when.clone())
            },
            days: None,
        };
        let preview = self.desk.preview_rule(&admin(), wish).await.unwrap();
        let mut told: Vec<Firing> =
            preview.firings.into_iter().map(|firing| (firing.subject.id, firing.from, firing.to)).collect();
        let mut real: Vec<Firing> = sqlx::query_as(
            "select subject_id, fired_at, resolved_at from alert where rule_id = $1 and fired_at is not null",
        )
        .bind(rule.id.0)
        .fetch_all(&self.pool)
        .await
        .unwrap();
        told.sort();
        real.sort();
        assert_eq!((preview.total, &told), (real.len() as u64, &real), "{}", rule.sentence);
        real.len()
    }

    /// Takes out what is to be told, as who tells does: how many alerts, each once.
    pub async fn told(&self) -> Vec<Uuid> {
        sqlx::query_scalar("update alert set tell_due_at = null where tell_due_at is not null returning id")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}

pub fn written(when: When) -> NewRule {
    NewRule {
        name: "The rule".to_owned(),
        when,
        scope: Scope::default(),
        for_seconds: Some(600),
        hold_seconds: Some(300),
        severity: None,
        group_by: None,
        repeat_seconds: None,
        note: None,
        enabled: None,
    }
}

pub fn health(list: &[Health]) -> When {
    When { health: list.to_vec(), ..When::new(WhenKind::ConnectionHealth) }
}

#[sqlx::test(migrations = "../../migrations")]
async fn it_fires_once_after_its_patience_and_is_over_after_its_hold(pool: PgPool) {
    let fleet = Fleet::new(pool, 4).await;
    let rule = fleet.rule(health(&[Health::Offline, Health::ReauthorizationRequired]), |_| {}).await;
    let start = fleet.clock.now();
    fleet.see(&[0, 1], Now::Offline).await;
    fleet.look().await;
    let pending = fleet.list(&[]).await;
    assert!(pending.len() == 2 && pending.iter().all(|alert| alert.state == AlertState::Pending), "{pending:?}");
    assert!(fleet.told().await.is_empty());
    fleet.pass(MINUTE * 5).await;
    fleet.see(&[0], Now::SignIn).await;
    fleet.see(&[1], Now::Well).await;
    fleet.look().await;
    let left = fleet.list(&[]).await;
    assert_eq!(left.len(), 1, "what was over before it fired is no history");
    assert!(left[0].summary.starts_with("Must sign in again"), "{}", left[0].summary);
    fleet.pass(MINUTE * 6).await;
    let firing = fleet.list(&[AlertState::Firing]).await.pop().unwrap();
    assert_eq!((firing.rule_id, firing.since, firing.fired_at), (rule.id, start, Some(start + MINUTE * 10)));
    assert_eq!((firing.subject.kind, firing.subject.name.as_str()), (SubjectKind::Connection, "Customer 0 · SAP"));
    assert_eq!(fleet.told().await, [firing.id.0]);
    fleet.pass(MINUTE * 60).await;
    assert!(fleet.told().await.is_empty(), "it fires once");
    assert_eq!(fleet.desk.rule(&admin(), rule.id).await.unwrap().firing, 1);

    let well = fleet.clock.now();
    fleet.see(&[0], Now::Well).await;
    fleet.pass(MINUTE * 2).await;
    fleet.see(&[0], Now::Offline).await;
    fleet.pass(MINUTE * 10).await;
    assert_eq!(fleet.list(&[]).await[0].state, AlertState::Firing, "it came back within the hold: the same alert");
    fleet.see(&[0], Now::Well).await;
    let well = well.max(fleet.clock.now());
    fleet.pass(MINUTE * 6).await;
    let over = fleet.list(&[AlertState::Resolved]).await;
    assert_eq!((over.len(), over[0].id, over[0].resolved_at), (1, firing.id, Some(well + MINUTE * 5)));
    assert_eq!(fleet.told().await, [firing.id.0]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn several_processes_fire_and_resolve_each_alert_once(pool: PgPool) {
    let fleet = Fleet::new(pool.clone(), 120).await;
    fleet.rule(health(&[Health::Offline]), |new| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0))).await;
    let others: Vec<_> =
        (0..4).map(|_| Evaluator::new(pool.clone(), Arc::clone(&fleet.clock) as SharedClock)).collect();
    let all: Vec<usize> = (0..120).collect();
    for how in [Now::Offline, Now::Well, Now::Offline, Now::Well] {
        for part in all.chunks(30) {
            fleet.see(part, how).await;
            let steps = others.iter().map(Evaluator::step);
            for step in futures::future::join_all(steps).await {
                step.unwrap();
            }
        }
        fleet.clock.advance(MINUTE);
    }
    fleet.look().await;
    assert!(fleet.list(&[]).await.is_empty());
    let n: i64 = sqlx::query_scalar("select count(*) from alert where state = 'resolved' and fired_at is not null")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(n, 240, "each of 120 failed twice");
    let left: i64 = sqlx::query_scalar("select count(*) from alert_touch").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_rule_that_is_changed_takes_its_alerts_along(pool: PgPool) {
    let fleet = Fleet::new(pool, 4).await;
    fleet.see(&[0, 1], Now::Offline).await;
    fleet.pass(MINUTE * 60).await;
    let rule = fleet.rule(health(&[Health::Offline]), |_| {}).await;
    let firing = fleet.list(&[AlertState::Firing]).await;
    assert_eq!(firing.len(), 2, "what has held for long enough fires at once");
    assert!(firing.iter().all(|alert| alert.fired_at == Some(fleet.clock.now())), "but not in the past: {firing:?}");
    assert_eq!(fleet.told().await.len(), 2);

    let only_sap = Scope { platforms: vec!["sap".to_owned()], ..Scope::default() };
    let patch = RulePatch { scope: Some(only_sap), for_seconds: Some(7_200), version: Some(1), ..RulePatch::default() };
    let changed = fleet.desk.change_rule(&admin(), rule.id, patch.clone()).await.unwrap();
    assert!(changed.sentence.starts_with("When a connection of SAP is offline for 2 hours"), "{}", changed.sentence);
    let stale = fleet.desk.change_rule(&admin(), rule.id, patch).await;
    assert!(matches!(stale, Err(Refusal::Conflict(_))), "{stale:?}");
    fleet.look().await;
    let firing = fleet.list(&[AlertState::Firing]).await;
    assert_eq!(firing.len(), 1, "more patience does not unsay what was said");
    assert_eq!(firing[0].subject.id, fleet.ids[0].to_string());
    assert_eq!(fleet.told().await.len(), 1, "the other is over, and that is told");

    let off = RulePatch { enabled: Some(false), ..RulePatch::default() };
    fleet.desk.change_rule(&admin(), rule.id, off).await.unwrap();
    fleet.look().await;
    assert!(fleet.list(&[]).await.is_empty());
    let on = RulePatch { enabled: Some(true), for_seconds: Some(0), ..RulePatch::default() };
    fleet.desk.change_rule(&admin(), rule.id, on).await.unwrap();
    fleet.look().await;
    assert_eq!(fleet.list(&[AlertState::Firing]).await.len(), 1);
    fleet.desk.remove_rule(&admin(), rule.id).await.unwrap();
    fleet.look().await;
    assert!(fleet.list(&[]).await.is_empty());
    let over = fleet.list(&[AlertState::Resolved]).await;
    assert!(over.len() == 3 && over.iter().all(|alert| alert.rule == "The rule"), "its alerts stay: {over:?}");
    let story: Vec<_> =
        fleet.desk.rule_changes(&admin(), rule.id).await.unwrap().into_iter().map(|change| change.text).collect();
    assert_eq!(story.len(), 5);
    assert_eq!(story[2], "Switched off");
    assert_eq!(story[3], "Is for others; Patience: 10 minutes → 2 hours");
    fleet.rule(health(&[Health::Late]), |_| {}).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_outage_mutes_its_children_and_what_is_left_speaks_when_it_ends(pool: PgPool) {
    let fleet = Fleet::new(pool, 20).await;
    fleet.rule(health(&[Health::Offline]), |new| new.for_seconds = Some(120)).await;
    let many = fleet
        .rule(When::new(WhenKind::UpstreamUnwell), |new| (new.name, new.for_seconds) = ("Many".to_owned(), Some(0)));
    let many = many.await;
    let shared: SharedClock = Arc::clone(&fleet.clock) as SharedClock;
    let watch = || health::watch(&fleet.pool, &shared, &OUTAGES, OUTAGES.hold);
    let sap: Vec<usize> = (0..20).step_by(2).collect();
    fleet.see(&sap, Now::Offline).await;
    watch().await.unwrap();
    fleet.look().await;
    fleet.pass(MINUTE * 3).await;
    let firing = fleet.list(&[AlertState::Firing]).await;
    let above: Vec<_> = firing.iter().filter(|alert| alert.rule_id == many.id).collect();
    assert_eq!((firing.len(), above.len()), (11, 1), "{firing:?}");
    assert_eq!((above[0].subject.kind, above[0].subject.name.as_str()), (SubjectKind::Platform, "SAP"));
    assert_eq!(above[0].muted_by, None);
    assert_eq!(firing.iter().filter(|alert| alert.muted_by == Some(MutedBy::Outage)).count(), 10);
    fleet.told().await;

    fleet.see(&sap[1..], Now::Well).await;
    watch().await.unwrap();
    fleet.clock.advance(MINUTE * 6);
    watch().await.unwrap();
    watch().await.unwrap();
    fleet.look().await;
    let left = fleet.list(&[AlertState::Firing]).await;
    let own = left.iter().find(|alert| alert.subject.id == fleet.ids[0].to_string()).unwrap();
    assert_eq!(own.muted_by, None, "the outage is over, and this is still broken");
    assert!(fleet.told().await.contains(&own.id.0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_seen_starts_nothing_until_it_can_be_seen_again(pool: PgPool) {
    let fleet = Fleet::new(pool, 6).await;
    fleet.rule(health(&[Health::Unknown, Health::Offline]), |new| new.for_seconds = Some(60)).await;
    let own = fleet
        .rule(When::new(WhenKind::SelfUnwell), |new| (new.name, new.for_seconds) = ("We".to_owned(), Some(60)))
        .await;
    let blind = "update source set round_failing_since = $1, round_error_class = 'unreachable', round_error_message = 'No way.'";
    sqlx::query(blind).bind(fleet.clock.now()).execute(&fleet.pool).await.unwrap();
    fleet.see(&[0, 1], Now::Unknown).await;
    fleet.see(&[2], Now::Offline).await;
    fleet.look().await;
    fleet.pass(MINUTE * 5).await;
    let firing = fleet.list(&[AlertState::Firing]).await;
    let of = |rule: model::RuleId| firing.iter().filter(move |alert| alert.rule_id == rule);
    assert!(of(own.id).any(|alert| alert.subject.kind == SubjectKind::Source), "{firing:?}");
    let others: Vec<_> = firing.iter().filter(|alert| alert.rule_id != own.id).collect();
    assert_eq!(others.len(), 1, "only what was seen: {others:?}");
    assert_eq!(others[0].subject.id, fleet.ids[2].to_string());

    sqlx::query("update source set round_failing_since = null").execute(&fleet.pool).await.unwrap();
    fleet.look().await;
    fleet.pass(MINUTE * 2).await;
    let firing = fleet.list(&[AlertState::Firing]).await;
    assert_eq!(firing.iter().filter(|alert| alert.rule_id != own.id).count(), 3, "still unknown, and now we look");
}

#[sqlx::test(migrations = "../../migrations")]
async fn scopes_follow_what_people_write_on_customers(pool: PgPool) {
    let fleet = Fleet::new(pool, 3).await;
    let vip = Scope { tags: vec!["vip".to_owned()], ..Scope::default() };
    fleet.rule(health(&[Health::Offline]), |new| (new.scope, new.for_seconds) = (vip, Some(0))).await;
    fleet.see(&[0, 1], Now::Offline).await;
    fleet.look().await;
    assert!(fleet.list(&[]).await.is_empty());
    let patch = CustomerPatch { tags: Some(vec!["VIP".to_owned()]), ..CustomerPatch::default() };
    fleet.desk.change_customer(&admin(), fleet.ids[1].0.into(), patch).await.unwrap();
    fleet.look().await;
    assert_eq!(fleet.list(&[AlertState::Firing]).await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_together_fire_as_one(pool: PgPool) {
    let fleet = Fleet::new(pool, 10).await;
    let share = When { health: vec![Health::Offline], percent: Some(30), ..When::new(WhenKind::ShareOfConnections) };
    fleet.rule(share, |new| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0))).await;
    fleet.see(&[0, 1], Now::Offline).await;
    fleet.look().await;
    assert!(fleet.list(&[]).await.is_empty());
    fleet.see(&[2], Now::Offline).await;
    fleet.look().await;
    let firing = fleet.list(&[AlertState::Firing]).await;
    assert_eq!((firing.len(), firing[0].subject.kind), (1, SubjectKind::Fleet));
    assert_eq!(firing[0].summary, "3 of 10 connections: offline");
    fleet.see(&[2], Now::Well).await;
    fleet.look().await;
    assert!(fleet.list(&[]).await.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_alert_is_taken_by_one_and_no_more_when_it_is_over(pool: PgPool) {
    let fleet = Fleet::new(pool, 2).await;
    fleet.rule(health(&[Health::Offline]), |new| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0))).await;
    fleet.see(&[0], Now::Offline).await;
    fleet.look().await;
    fleet.told().await;
    let alert = fleet.list(&[]).await.pop().unwrap();
    let taken = fleet.desk.acknowledge_alert(&admin(), alert.id).await.unwrap();
    assert_eq!((taken.acknowledged_by.as_deref(), taken.version), (Some("story"), alert.version + 1));
    assert_eq!(fleet.told().await, [alert.id.0], "who reminds must know");
    assert_eq!(fleet.desk.acknowledge_alert(&admin(), alert.id).await.unwrap(), taken, "twice is once");
    let other = model::Actor { name: "Ines".to_owned(), ..admin() };
    assert!(matches!(fleet.desk.acknowledge_alert(&other, alert.id).await, Err(Refusal::Conflict(_))));
    fleet.see(&[0], Now::Well).await;
    fleet.look().await;
    fleet.clock.advance(MINUTE);
    fleet.see(&[1], Now::Offline).await;
    fleet.look().await;
    let late = fleet.list(&[]).await.pop().unwrap();
    fleet.see(&[1], Now::Well).await;
    fleet.look().await;
    assert!(matches!(fleet.desk.acknowledge_alert(&admin(), late.id).await, Err(Refusal::Conflict(_))));
    assert!(fleet.desk.told(&admin(), fleet.ids[0]).await.unwrap().is_empty(), "nobody was told yet");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_shipped_rules_are_there_once_and_stay_as_people_left_them(pool: PgPool) {
    let fleet = Fleet::new(pool, 1).await;
    let ensure = async || ensure_shipped(&mut fleet.pool.acquire().await.unwrap(), fleet.clock.now()).await.unwrap();
    ensure().await;
    let rules = fleet.desk.rules(&admin()).await.unwrap();
    assert_eq!(rules.len(), 6);
    assert!(rules.iter().all(|rule| rule.enabled && rule.shipped.is_some() && rule.sentence.starts_with("When ")));
    fleet.desk.remove_rule(&admin(), rules[0].id).await.unwrap();
    let renamed = RulePatch { name: Some("Mine".to_owned()), ..RulePatch::default() };
    fleet.desk.change_rule(&admin(), rules[1].id, renamed).await.unwrap();
    ensure().await;
    assert_eq!(fleet.desk.rules(&admin()).await.unwrap().len(), 5);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_preview_of_a_month_is_what_the_month_was(pool: PgPool) {
    let fleet = Fleet::new(pool, 12).await;
    let start = fleet.clock.now();
    let rules = [
        (health(&[Health::Offline]), 600, 300, Scope::default()),
        (health(&[Health::ReauthorizationRequired, Health::Unknown]), 0, 0, Scope::default()),
        (
            health(&[Health::Offline, Health::ReauthorizationRequired, Health::Failing, Health::Unstable]),
            3_600,
            1_800,
            Scope { platforms: vec!["sap".to_owned()], except: true, ..Scope::default() },
        ),
    ];
    let mut made = Vec::new();
    for (n, (when, patience, hold, scope)) in rules.into_iter().enumerate() {
        let rule = fleet.rule(when, |new| {
            new.name = format!("Rule {n}");
            (new.for_seconds, new.hold_seconds, new.scope) = (Some(patience), Some(hold), scope);
        });
        made.push(rule.await);
    }
    let mut rng = StdRng::seed_from_u64(42);
    let states = [Now::Well, Now::Well, Now::Offline, Now::SignIn, Now::Unknown];
    let mut day = start;
    while fleet.clock.now() < start + TimeDelta::days(29) {
        // now many small steps, now a long quiet
        let longest = if rng.random_ratio(1, 3) { 40_000 } else { 1_500 };
        fleet.clock.advance(TimeDelta::seconds(rng.random_range(1..longest)));
        if fleet.clock.now() - day > TimeDelta::days(5) {
            day = fleet.clock.now();
            fleet.room().await;
        }
        for _ in 0..rng.random_range(1..4) {
            fleet.see(&[rng.random_range(0..12)], states[rng.random_range(0..states.len())]).await;
        }
        // whoever looks may be late
        if rng.random_ratio(2, 3) {
            fleet.alerts.step().await.unwrap();
        }
    }
    fleet.look().await;
    for rule in made {
        assert!(fleet.preview_is_what_was(&rule).await > 10, "{}", rule.name);
    }
}
