//! Two things at once, in either order: whoever comes first, what is promised holds.

use crate::alerts::{Fleet, MINUTE, Now, health};
use crate::telling::{Receiver, Telling};
use crate::world::admin;
use chrono::TimeDelta;
use engine::alert::Evaluator;
use engine::clock::{Clock as _, SharedClock};
use engine::work::Step;
use model::{
    Actor, AlertId, AlertQuery, AlertState, Backend as _, Health, MutedBy, NewSilence, NotificationReason, Refusal,
    RulePatch, Scope, SilenceMatch,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::PgPool;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Runs both at once: the second is given this many milliseconds, or the first is when it is negative. So in a few dozen rounds
/// each is first many times, and often they meet.
async fn at_once<A, B>(late: i64, a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let wait = |ms: i64| tokio::time::sleep(Duration::from_millis(ms.max(0).unsigned_abs()));
    let first = async {
        wait(-late).await;
        a.await
    };
    let second = async {
        wait(late).await;
        b.await
    };
    tokio::join!(first, second)
}

fn somebody(name: &str) -> Actor {
    Actor { name: name.to_owned(), ..admin() }
}

#[sqlx::test(migrations = "../../migrations")]
async fn acknowledged_while_it_is_resolved_it_is_over(pool: PgPool) {
    let fleet = Fleet::new(pool, 41).await;
    fleet.rule(health(&[Health::Offline]), |new| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0))).await;
    let (mut taken, mut refused) = (0, 0);
    for n in 0..41 {
        fleet.see(&[n], Now::Offline).await;
        fleet.look().await;
        let alert = fleet.list(&[AlertState::Firing]).await.pop().unwrap();
        fleet.see(&[n], Now::Well).await;
        let late = i64::try_from(n).unwrap() - 20;
        let (step, answer) = at_once(late, fleet.alerts.step(), fleet.desk.acknowledge_alert(&admin(), alert.id)).await;
        step.unwrap();
        let now = fleet.desk.alert(&admin(), alert.id).await.unwrap();
        assert_eq!(now.state, AlertState::Resolved, "what is over is over, whoever took it");
        match answer {
            Ok(_) => {
                taken += 1;
                assert_eq!(now.acknowledged_by.as_deref(), Some("story"));
            }
            Err(Refusal::Conflict(why)) => {
                refused += 1;
                assert!(why.contains("over already") && now.acknowledged_by.is_none(), "{why} {now:?}");
            }
            Err(other) => panic!("{other:?}"),
        }
        fleet.clock.advance(MINUTE);
    }
    assert!(taken > 0 && refused > 0, "both orders are reached: {taken} taken, {refused} refused");
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_who_take_one_alert_are_one_who_has_it_and_one_who_knows_who(pool: PgPool) {
    let fleet = Fleet::new(pool, 31).await;
    fleet.rule(health(&[Health::Offline]), |new| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0))).await;
    let (ines, otto) = (somebody("Ines"), somebody("Otto"));
    let mut first = BTreeSet::new();
    for n in 0..31 {
        fleet.see(&[n], Now::Offline).await;
        fleet.look().await;
        let query = AlertQuery { state: vec![AlertState::Firing], limit: Some(200), ..AlertQuery::default() };
        let all = fleet.desk.alerts(&admin(), query).await.unwrap().items;
        let alert = all.into_iter().find(|alert| alert.acknowledged_by.is_none()).unwrap();
        let late = (i64::try_from(n).unwrap() - 15) / 5;
        let (a, b) = (fleet.desk.acknowledge_alert(&ines, alert.id), fleet.desk.acknowledge_alert(&otto, alert.id));
        let (winner, answer) = match at_once(late, a, b).await {
            (Ok(alert), Err(refused)) | (Err(refused), Ok(alert)) => (alert.acknowledged_by.unwrap(), refused),
            other => panic!("one has it: {other:?}"),
        };
        assert!(matches!(&answer, Refusal::Conflict(why) if why.contains(&winner)), "{answer:?} {winner}");
        let kept = fleet.desk.alert(&admin(), alert.id).await.unwrap();
        assert_eq!(kept.acknowledged_by.as_deref(), Some(winner.as_str()));
        first.insert(winner);
    }
    assert_eq!(first.len(), 2, "each was first once at least");
}

fn silence_of(world: &Telling, alert: uuid::Uuid) -> NewSilence {
    NewSilence {
        matching: SilenceMatch { alert_ids: vec![AlertId(alert)], ..SilenceMatch::default() },
        reason: "known".into(),
        starts_at: None,
        ends_at: world.at(7 * 86_400),
        dry_run: false,
    }
}

async fn messages_about(world: &Telling, alert: uuid::Uuid) -> Vec<NotificationReason> {
    let told = world.told().await;
    told.into_iter().filter(|told| told.alert_ids.contains(&AlertId(alert))).map(|told| told.reason).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_silence_made_before_it_is_told_mutes_and_after_it_unsays_nothing(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    world.each_by_itself().await;
    let (mut muted, mut told) = (0, 0);
    for n in 0..41 {
        let alert = world.fire(&n.to_string()).await;
        let asked = silence_of(&world, alert);
        let (step, made) = at_once(n - 20, world.teller.step(), world.desk.add_silence(&admin(), asked)).await;
        step.unwrap();
        made.unwrap();
        world.pass(10).await;
        let kept = world.desk.alert(&admin(), AlertId(alert)).await.unwrap();
        assert_eq!(kept.muted_by, Some(MutedBy::Silence), "from then on it is quiet");
        match messages_about(&world, alert).await[..] {
            [] => muted += 1,
            [NotificationReason::First] => told += 1,
            ref other => panic!("{other:?}"),
        }
        world.resolve(alert).await;
        world.pass(400).await;
        assert!(messages_about(&world, alert).await.len() <= 1, "its end is held back");
    }
    assert!(muted > 0 && told > 0, "both orders are reached: {muted} muted, {told} told");
}

/// Somebody else tells; meanwhile a silence is made. Who waited must know of it, although they came before it.
#[sqlx::test(migrations = "../../migrations")]
async fn who_waited_to_tell_goes_by_what_is_so_then(pool: PgPool) {
    let (world, receiver) = (Telling::new(pool).await, Receiver::default());
    world.channel("hook", &receiver.start().await).await;
    let alert = world.fire("one").await;
    let mut other = world.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(7455213600117)").execute(&mut *other).await.unwrap();
    let (teller, silenced) = tokio::join!(world.teller.step(), async {
        let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted \
                     and database = (select oid from pg_database where datname = current_database())";
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut *other).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        world.clock.advance(TimeDelta::seconds(1));
        let made = world.desk.add_silence(&admin(), silence_of(&world, alert)).await;
        other.commit().await.unwrap();
        made
    });
    teller.unwrap();
    silenced.unwrap();
    world.pass(5).await;
    assert_eq!(receiver.count(), 0, "it was silenced before anybody was told");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_rule_that_is_edited_while_it_fires_fires_for_whom_it_says_in_the_end(pool: PgPool) {
    let fleet = Fleet::new(pool.clone(), 12).await;
    let rule =
        fleet.rule(health(&[Health::Offline]), |new| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0))).await;
    let second = Evaluator::new(pool.clone(), Arc::clone(&fleet.clock) as SharedClock);
    let mut rng = StdRng::seed_from_u64(6);
    let mut how = [Now::Well; 12];
    for n in 0..40 {
        // so rarely that none counts as unstable
        fleet.clock.advance(TimeDelta::hours(2));
        let turned: Vec<usize> = (0..12).filter(|_| rng.random_bool(0.4)).collect();
        let now = [Now::Well, Now::Offline, Now::SignIn][rng.random_range(0..3)];
        turned.iter().for_each(|n| how[*n] = now);
        fleet.see(&turned, now).await;
        let wanted = [Health::Offline, Health::ReauthorizationRequired][rng.random_range(0..2)];
        let sap = rng.random_bool(0.5);
        let platforms = if sap { vec!["sap".to_owned()] } else { Vec::new() };
        let patch = RulePatch {
            when: Some(health(&[wanted])),
            scope: Some(Scope { platforms, ..Scope::default() }),
            enabled: Some(n % 9 != 8),
            ..RulePatch::default()
        };
        let steps = async {
            let (a, b) = tokio::join!(fleet.alerts.step(), second.step());
            a.and(b)
        };
        let (stepped, changed) = at_once(n % 13 - 6, steps, fleet.desk.change_rule(&admin(), rule.id, patch)).await;
        stepped.unwrap();
        let changed = changed.unwrap();
        fleet.look().await;
        let expected: BTreeSet<String> = (0..12)
            .filter(|n| {
                let ill = match how[*n] {
                    Now::Offline => wanted == Health::Offline,
                    Now::SignIn => wanted == Health::ReauthorizationRequired,
                    _ => false,
                };
                changed.enabled && ill && (!sap || n % 2 == 0)
            })
            .map(|n| fleet.ids[n].to_string())
            .collect();
        let firing = fleet.list(&[AlertState::Firing]).await;
        let subjects: BTreeSet<String> = firing.iter().map(|alert| alert.subject.id.clone()).collect();
        assert_eq!((firing.len(), &subjects), (expected.len(), &expected), "round {n}: {}", changed.sentence);
    }
    let wrong: i64 = sqlx::query_scalar(
        "select count(*) from alert a where a.fired_at is null or a.resolved_at < a.fired_at or exists (select from alert b \
         where b.subject_id = a.subject_id and b.id > a.id and b.fired_at < coalesce(a.resolved_at, 'infinity'))",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(wrong, 0, "no two at once, and each end follows its beginning");
}

/// What people do while much changes and is told never fails, and never makes others fail: everybody locks in one order.
#[sqlx::test(migrations = "../../migrations")]
async fn silences_come_and_go_while_everything_turns(pool: PgPool) {
    let fleet = Fleet::new(pool.clone(), 200).await;
    fleet.rule(health(&[Health::Offline]), |new| (new.for_seconds, new.hold_seconds) = (Some(0), Some(0))).await;
    let receiver = Receiver::default();
    let settings = model::ChannelSettings { url: Some(receiver.start().await), ..model::ChannelSettings::default() };
    let (kind, name) = (model::ChannelKind::Webhook, "hook".to_owned());
    let channel = model::NewChannel { name, kind, settings, fallback_id: None, enabled: None };
    fleet.desk.add_channel(&admin(), channel).await.unwrap();
    let teller = engine::tell::Teller::new(pool, fleet.clock.clone(), fleet.desk.sender.clone());
    let mut rng = StdRng::seed_from_u64(7);
    let all: Vec<usize> = (0..200).collect();
    for n in 0..30 {
        fleet.clock.advance(TimeDelta::seconds(7));
        let mut part = all.clone();
        part.retain(|_| rng.random_bool(0.7));
        fleet.see(&part, if n % 2 == 0 { Now::Offline } else { Now::Well }).await;
        let new = NewSilence {
            matching: SilenceMatch::default(),
            reason: "known".into(),
            starts_at: None,
            ends_at: fleet.clock.now() + TimeDelta::hours(1),
            dry_run: false,
        };
        let silence = async {
            let made = fleet.desk.add_silence(&admin(), new).await?;
            tokio::time::sleep(Duration::from_millis(n % 5)).await;
            fleet.desk.end_silence(&admin(), made.id).await
        };
        let (turned, told, again, silenced) =
            tokio::join!(fleet.alerts.step(), teller.step(), teller.upkeep(), silence);
        let steps = [turned, told, again].map(|step| step.map(|_: Step| ()));
        assert!(steps.iter().all(Result::is_ok) && silenced.is_ok(), "round {n}: {steps:?} {silenced:?}");
    }
    assert!(receiver.count() == 0, "nobody sent yet");
    fleet.see(&all, Now::Well).await;
    fleet.look().await;
    for _ in 0..4 {
        fleet.clock.advance(MINUTE * 10);
        teller.upkeep().await.unwrap();
        while teller.step().await.unwrap() == Step::Busy || fleet.desk.sender.step().await.unwrap() == Step::Busy {}
    }
    let told: i64 = sqlx::query_scalar("select coalesce(sum(cardinality(told)), 0) from alert_group")
        .fetch_one(&fleet.pool)
        .await
        .unwrap();
    assert_eq!(told, 0, "whoever was told of a beginning was told of its end");
}
