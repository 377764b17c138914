//! Health: how fast evidence is judged, how soon an outage is known, and how quickly availability is told.

use crate::Failure;
use crate::load::send_all;
use crate::report::{Report, Row};
use crate::seed;
use crate::stats::{Spread, percentile_ms};
use crate::webhook::{ERROR, about};
use crate::wire::Wire;
use crate::world::World;
use http::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    super::pure::judged(world, report)?;
    outage(world, report).await?;
    availability(world, report).await
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
        // opened while the batch with the one that made it full was still being told of
        took.push(known.max(0.0));
    }
    report.add(vec![Row::at_most("outage_known_ms", "ms", Spread::of(took), 100.0)]);
    watched.linewatch.stop().await
}

async fn availability(world: &World, report: &mut Report) -> Result<(), Failure> {
    let (connections, each) = (world.pick(10_000, 1_000), 100);
    println!(
        "  how: {connections} connections with {each} transitions each over 90 days, by SQL; availability of 90 days of one after the \
         other, from sending to the last byte"
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
    report.add(vec![Row::at_most("availability_one_p95_ms", "ms", Spread::of(p95s), 5.0)]);
    linewatch.stop().await
}

/// Gives every connection a past of so many transitions: turning bad and well again, over 90 days.
pub async fn transitions(db: &mut sqlx::PgConnection, each: u32) -> Result<(), Failure> {
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
