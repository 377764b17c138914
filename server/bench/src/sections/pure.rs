//! What decides, without anything around it: on one core, in this process.

use crate::Failure;
use crate::report::{Report, Row};
use crate::stats::{Spread, ms};
use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use engine::alert::machine::Timer;
use engine::alert::{Compiled, Facts as Subject, Of, holding};
use engine::health::{Facts, Flow, FlowFact, Known, Policy, Sighting, judge, weigh};
use model::{
    Authorization, Cause, ConnectionId, CustomerId, Environment, Eye, Health, RuleId, Scope, SourceId, When, WhenKind,
};
use std::hint::black_box;
use std::time::{Duration, Instant};
use uuid::Uuid;

const RULES: u128 = 500;
/// No two platforms, tiers and tags are so common that a rule about one is about all.
const PLATFORMS: usize = 25;

/// How the source of whatever is judged here judges.
pub const POLICY: Policy = Policy {
    cadence_default: Some(900),
    late_factor: 2.0,
    late_grace: TimeDelta::seconds(120),
    proof_allowance: TimeDelta::minutes(15),
    hearing: None,
};

/// How fast evidence is weighed and judged.
pub fn judged(world: &World, report: &mut Report) -> Result<(), Failure> {
    let (connections, rounds) = (10_000_usize, world.pick(60_usize, 2));
    println!(
        "  how: {connections} connections in memory, {rounds} pieces of evidence about each, one in eight of them bad news, by polls and \
         webhooks in turn; each is weighed against what is known, and what follows is judged"
    );
    let start = crate::webhook::now();
    let mut rates = Vec::new();
    for _ in 0..world.runs() {
        let mut all = vec![Known::nothing(start); connections];
        let news: Vec<Vec<Sighting>> =
            (0..rounds).map(|round| (0..connections).map(|n| news(start, round, n)).collect()).collect();
        let began = Instant::now();
        let mut healthy = 0;
        for round in &news {
            for (known, sighting) in all.iter_mut().zip(round) {
                *known = weigh(known, sighting, TimeDelta::zero(), sighting.at).known;
                let judged = judge(known, None, Some(sighting.at), &POLICY, sighting.at);
                healthy += usize::from(black_box(judged).health == Health::Healthy);
            }
        }
        let took = began.elapsed();
        if healthy == 0 || healthy == rounds * connections {
            return Err(format!("{healthy} of {} were judged healthy", rounds * connections).into());
        }
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousands")]
        rates.push((rounds * connections) as f64 / took.as_secs_f64());
    }
    report.add(vec![Row::at_least("judged_pure_per_s", "1/s", Spread::of(rates), 3_000_000.0)]);
    Ok(())
}

fn news(start: DateTime<Utc>, round: usize, n: usize) -> Sighting {
    let at = start + TimeDelta::seconds(i64::try_from(round).unwrap_or_default() * 60);
    let eye = if (round + n).is_multiple_of(2) { Eye::Poll } else { Eye::Webhook };
    let (flow, cause) = match (round * 7 + n).is_multiple_of(8) {
        true => (Flow::Failing, Some(Cause::SyncError)),
        false => (Flow::Good, None),
    };
    let facts = Facts {
        authorization: Some((Authorization::Authorized, None)),
        flow: Some((FlowFact::Is(flow), cause)),
        detail: None,
        last_good_sync_at: cause.is_none().then_some(at),
        cadence_upstream: None,
        busy: Some(false),
        sync: None,
        of_data: false,
        refused: None,
    };
    Sighting { eye, at, own_at: (eye == Eye::Webhook).then_some(at), facts }
}

/// How long rules take: all of them over everybody, and all of them about one who turned.
pub fn rules(world: &World, report: &mut Report) -> Result<(), Failure> {
    let connections = world.pick(10_000, 1_000);
    println!(
        "  how: {RULES} rules about the health of connections, most for some platforms, tiers or tags only, over {connections} connections in \
         memory, of which one in ten is unwell: who it holds for; then the same for each of 1,000 that turned, the mean"
    );
    let now = crate::webhook::now();
    let rules: Vec<_> = (0..RULES).map(rule).collect();
    let everybody: Vec<_> = (0..connections).map(|n| subject(n, now)).collect();
    let (mut passes, mut ones) = (Vec::new(), Vec::new());
    for _ in 0..world.runs() {
        let began = Instant::now();
        let held: usize = rules.iter().map(|rule| holding(rule, everybody.iter()).count()).sum();
        passes.push(ms(began.elapsed()));
        if held == 0 {
            return Err("no rule holds for anybody".into());
        }
        let began = Instant::now();
        let turned = everybody.iter().take(1_000);
        let count = u32::try_from(turned.len())?;
        for one in turned {
            black_box(rules.iter().filter(|rule| holding(rule, std::iter::once(one)).next().is_some()).count());
        }
        ones.push(ms(began.elapsed().checked_div(count).unwrap_or(Duration::ZERO)));
    }
    report.add(vec![
        Row::at_most("rules_full_pass_ms", "ms", Spread::of(passes), 300.0),
        Row::at_most("rules_one_change_ms", "ms", Spread::of(ones), 2.0),
    ]);
    Ok(())
}

fn rule(n: u128) -> Compiled {
    let place = usize::try_from(n).unwrap_or_default();
    let health = [Health::Failing, Health::Offline, Health::ReauthorizationRequired][place % 3];
    let when = When { health: vec![health], ..When::new(WhenKind::ConnectionHealth) };
    let scope = match place % 4 {
        0 => Scope::default(),
        1 => Scope { platforms: vec![platform(place), platform(place + 1)], ..Scope::default() },
        2 => Scope { tags: vec![format!("tag-{}", place % 40)], ..Scope::default() },
        _ => Scope { tiers: vec![format!("tier-{}", place % 5)], except: true, ..Scope::default() },
    };
    Compiled::new(RuleId(Uuid::from_u128(n)), 1, when, scope, Timer::new(300, 300))
}

fn subject(n: usize, now: DateTime<Utc>) -> Subject {
    let health = match n % 10 {
        0 => Health::Failing,
        _ => Health::Healthy,
    };
    Subject {
        id: ConnectionId(Uuid::from_u128(n as u128)),
        name: format!("Customer {n} · {}", platform(n)),
        of: Of {
            customer: CustomerId(Uuid::from_u128(n as u128)),
            tags: vec![format!("tag-{}", n % 40), "eu".to_owned()],
            tier: Some(format!("tier-{}", n % 5)),
            platform: platform(n),
            source: SourceId(Uuid::nil()),
            environment: Environment::Production,
            owners: vec!["Ines".to_owned()],
        },
        health: Some(health),
        since: now,
        cause: None,
        detail: None,
        blind: false,
        covered_since: None,
    }
}

fn platform(n: usize) -> String {
    format!("platform-{}", n % PLATFORMS)
}
