//! Health: how fast evidence is judged, how soon an outage is known, and how quickly availability is told.

use super::pure::POLICY;
use crate::Failure;
use crate::load::send_all;
use crate::report::{Report, Row};
use crate::seed;
use crate::stats::{Spread, percentile_ms};
use crate::webhook::{ERROR, about};
use crate::wire::Wire;
use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use engine::health::{Facts, Flow, FlowFact, Sighted, Sighting, observe};
use http::Method;
use model::{Authorization, ConnectionId, Eye};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Pieces of evidence in a transaction, as the processor has them at most.
const BATCH: usize = 500;
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    super::pure::judged(world, report)?;
    stored(world, report).await?;
    outage(world, report).await?;
    availability(world, report).await
}

/// How fast evidence is observed, with all that is written down of it.
async fn stored(world: &World, report: &mut Report) -> Result<(), Failure> {
    let (connections, rounds) = (world.pick(10_000_u32, 1_000), world.pick(10_i64, 2));
    println!(
        "  how: {connections} connections in Postgres, a good sync of each by webhook, {rounds} times over, {BATCH} in a transaction, one after \
         the other on one connection: this process and that backend take turns, so that both together are about one core"
    );
    let linewatch = world.serve("evidence").await?;
    seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect("evidence").await?;
    seed::connections(&mut db, 0, connections).await?;
    linewatch.stop().await?;
    let ids: Vec<Uuid> = sqlx::query_scalar("select id from connection order by id").fetch_all(&mut db).await?;
    let mut rates = Vec::new();
    for _ in 0..world.runs() {
        world.postgres.checkpoint().await?;
        let began = Instant::now();
        for _ in 0..rounds {
            for batch in ids.chunks(BATCH) {
                let now = crate::webhook::now();
                let sighted: Vec<_> = batch.iter().map(|id| good_sync(ConnectionId(*id), now)).collect();
                let mut tx = db.begin().await?;
                let observed = observe(&mut tx, &sighted, now).await?;
                tx.commit().await?;
                if observed.applied.iter().any(Option::is_none) {
                    return Err("a connection that was observed is not there".into());
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousands")]
        rates.push((ids.len() as i64 * rounds) as f64 / began.elapsed().as_secs_f64());
    }
    report.add(vec![Row::at_least("judged_stored_per_s", "1/s", Spread::of(rates), 20_000.0)]);
    Ok(())
}

fn good_sync(connection: ConnectionId, at: DateTime<Utc>) -> Sighted {
    let facts = Facts {
        authorization: Some((Authorization::Authorized, None)),
        flow: Some((FlowFact::Is(Flow::Good), None)),
        last_good_sync_at: Some(at),
        busy: Some(false),
        ..Facts::default()
    };
    Sighted {
        connection,
        sighting: Sighting { eye: Eye::Webhook, at, own_at: Some(at), facts },
        received_at: at,
        skew: TimeDelta::zero(),
        policy: POLICY,
        raw_status: None,
        description: None,
        upstream_error: None,
        event: None,
    }
}

async fn outage(world: &World, report: &mut Report) -> Result<(), Failure> {
    let connections = world.pick(10_000, 1_000);
    println!(
        "  how: {connections} connections; webhooks say of 40 % of a platform's that their syncs failed, 16 at a time, and upstream \
         agrees; from when the transition was made with which the failing are 30 % until the outage was"
    );
    let watched = world.watched("outage", connections).await?;
    let mut db = world.postgres.connect("outage").await?;
    let platforms = "select platform_slug from connection where removed_at is null group by 1 order by count(*) desc";
    let platforms: Vec<String> = sqlx::query_scalar(platforms).fetch_all(&mut db).await?;
    let mut makini = Wire::open(watched.simulator.address).await?;
    let mut took = Vec::new();
    for platform in platforms.into_iter().take(world.runs()) {
        let keys: Vec<String> = sqlx::query_scalar(
            "select key from connection where platform_slug = $1 and removed_at is null order by id",
        )
        .bind(&platform)
        .fetch_all(&mut db)
        .await?;
        let (enough, many) = ((keys.len() * 3).div_ceil(10).max(5), (keys.len() * 2).div_ceil(5).max(5));
        for key in &keys[..many] {
            let action = format!("/_sim/connections/{key}/actions");
            makini.send(Method::POST, &action, &json!({ "action": "fail_sync" })).await?;
        }
        let webhooks: Vec<_> = keys[..many].iter().map(|key| about(key, "sync.failed", ERROR)).collect();
        send_all(watched.linewatch.address, "/webhooks/bench", webhooks, 16).await?;
        let began = Instant::now();
        // ids are UUIDv7: made in the transaction that they stand in, they tell its moment to the millisecond
        let sql = "with at as (select id, ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::int8 as ms from transition
                               union all select id, ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::int8 from outage)
                   select (o.ms - (select t.ms from at t join transition f using (id) join connection c on c.id = f.connection_id
                                   where c.platform_slug = $1 and f.to_health = 'failing' order by t.ms offset $2 limit 1))::float8
                   from at o join outage using (id) where kind = 'platform' and slug = $1";
        let known = loop {
            let ms: Option<Option<f64>> =
                sqlx::query_scalar(sql).bind(&platform).bind(enough as i64 - 1).fetch_optional(&mut db).await?;
            match ms.flatten() {
                Some(ms) => break ms,
                None if began.elapsed() > PATIENCE => return Err(format!("no outage of {platform} was opened").into()),
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        // what the next one is to be told of does not wait for closer looks at these
        quiet(&mut db).await?;
        // opened while the batch with the one that made it full was still being told of
        took.push(known.max(0.0));
    }
    report.add(vec![Row::at_most("outage_known_ms", "ms", Spread::of(took), 100.0)]);
    watched.linewatch.stop().await
}

/// Waits until no closer look is due or under way.
async fn quiet(db: &mut PgConnection) -> Result<(), Failure> {
    let began = Instant::now();
    let looks =
        "select count(*) from connection where lease_token is not null or check_due_at <= now() + interval '1 second'";
    while sqlx::query_scalar::<_, i64>(looks).fetch_one(&mut *db).await? > 0 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn availability(world: &World, report: &mut Report) -> Result<(), Failure> {
    let (connections, each) = (world.pick(10_000, 1_000), 100);
    println!(
        "  how: {connections} connections with {each} transitions each over 90 days, by SQL; availability of 90 days of one after the \
         other, from sending to the last byte; then the Overview, whose day is that of all of them"
    );
    let linewatch = world.serve("availability").await?;
    seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect("availability").await?;
    seed::connections(&mut db, 0, connections).await?;
    transitions(&mut db, each).await?;
    let ids: Vec<String> = sqlx::query_scalar("select id::text from connection order by md5(id::text) limit 60")
        .fetch_all(&mut db)
        .await?;
    let mut api = linewatch.api().await?;
    let mut p95s = Vec::new();
    for _ in 0..world.runs() {
        let mut times = Vec::new();
        for id in &ids {
            times.push(api.get(&format!("/api/v1/connections/{id}/availability?days=90")).await?.took);
        }
        p95s.push(percentile_ms(&mut times[2..], 0.95));
    }
    let mut browser = linewatch.browser().await?;
    let mut fleet = Vec::new();
    for _ in 0..world.runs() {
        let mut times = Vec::new();
        for _ in 0..world.pick(40, 10) {
            times.push(browser.get("/").await?.took);
        }
        fleet.push(percentile_ms(&mut times, 0.95));
    }
    report.add(vec![
        Row::at_most("availability_one_p95_ms", "ms", Spread::of(p95s), 5.0),
        Row::at_most("availability_fleet_p95_ms", "ms", Spread::of(fleet), 100.0),
    ]);
    linewatch.stop().await
}

/// Gives every connection a past of so many transitions: turning bad and well again, over 90 days.
pub async fn transitions(db: &mut PgConnection, each: u32) -> Result<(), Failure> {
    let sql = format!(
        "set synchronous_commit = off;
         insert into transition (id, connection_id, at, from_health, to_health, cause, eye, evidence_text, lasted_seconds)
         select (lpad(to_hex((extract(epoch from at) * 1000)::int8), 12, '0') || '70008009' || lpad(to_hex((random() * 281474976710655)::int8), 12, '0'))::uuid,
                id, at, case when n % 2 = 0 then 'healthy' else bad end, case when n % 2 = 0 then bad else 'healthy' end,
                case when n % 2 = 0 then 'sync_error' end, 'poll', 'as a list said', 3600
         from (select c.id, n, case when random() < 0.5 then 'failing' else 'offline' end as bad,
                      now() - interval '90 days' + (n + random()) * interval '90 days' / {each} as at
               from connection c cross join generate_series(0, {each} - 1) n) t;
         analyze transition"
    );
    db.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}
