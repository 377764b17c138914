//! A round of polling over 10,000 connections, and what Linewatch holds in memory when nothing happens.

use super::{mb, watching};
use crate::Failure;
use crate::linewatch::Simulator;
use crate::report::{Report, Row};
use crate::stats::Spread;
use crate::world::World;
use chrono::{DateTime, Utc};
use http::Method;
use serde_json::json;
use sqlx::PgConnection;
use std::time::{Duration, Instant};

/// Between the beginnings of two rounds: the pretend Makini answers 600 requests a minute, and a round takes a hundred.
const EVERY: u64 = 15;
/// How long it is left alone before its memory is looked at, and for how long that is.
const QUIET: (u64, u64) = (10, 5);

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let connections = world.pick(10_000, 1_000);
    println!(
        "  how: linewatch simulate --connections {connections} --story off --time-scale 1, a round every {EVERY} s; wall as \
         Linewatch notes it; CPU of the process from the end of a round to the end of the next, so with all else that it does; \
         the first round, which adds them all, is not counted"
    );
    let simulator = Simulator::start(&world.programs, world.dir(), connections).await?;
    let linewatch = world.serve("poll").await?;
    let settings = json!({ "poll_interval_seconds": EVERY, "cadence_seconds": 86_400 });
    let source = simulator.is_source_of(&linewatch, settings).await?;
    let mut db = world.postgres.connect("poll").await?;
    let first = round_after(&mut db, None).await?;
    println!("    the first round: {} connections added in {:.1} s", first.listed, first.seconds);
    if first.listed != i64::from(connections) {
        return Err("not all of them were listed".into());
    }
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    // the second round still writes what the first could not know
    let mut before = round_after(&mut db, Some(first.good_at)).await?;
    for _ in 0..world.runs() {
        let used = linewatch.process.cpu()?;
        before = round_after(&mut db, Some(before.good_at)).await?;
        wall.push(before.seconds);
        cpu.push((linewatch.process.cpu()? - used).as_secs_f64());
    }
    report.add(vec![
        Row::at_most("poll_round_s", "s", Spread::of(wall), 10.0),
        Row::at_most("poll_round_cpu_s", "s", Spread::of(cpu), 2.0),
    ]);
    println!("  how: the same process, not polling for {} s, nothing asked; VmRSS of /proc", QUIET.0);
    let id = source["id"].as_str().ok_or("a source without id")?;
    let rest = json!({ "enabled": false });
    linewatch.api().await?.send(Method::PATCH, &format!("/api/v1/sources/{id}"), &rest).await?;
    tokio::time::sleep(Duration::from_secs(world.pick(QUIET.0, 2))).await;
    let quiet = async {
        tokio::time::sleep(Duration::from_secs(QUIET.1)).await;
        Ok(())
    };
    let ((), held) = watching(quiet, Duration::from_millis(500), async || linewatch.process.memory()).await?;
    report.add(vec![Row::at_most("memory_idle_mb", "MB", Spread::of(held.into_iter().map(mb)), 60.0)]);
    linewatch.stop().await
}

/// A round that went well.
struct Round {
    good_at: DateTime<Utc>,
    seconds: f64,
    listed: i64,
}

/// Waits for the next good round; read from Postgres, so that waiting costs Linewatch nothing.
async fn round_after(db: &mut PgConnection, last: Option<DateTime<Utc>>) -> Result<Round, Failure> {
    let began = Instant::now();
    loop {
        let sql = "select round_good_at, coalesce(round_duration_ms, 0)::float8 / 1000, coalesce(round_listed, 0), round_error_message from source";
        let (good_at, seconds, listed, error): (Option<DateTime<Utc>>, f64, i64, Option<String>) =
            sqlx::query_as(sql).fetch_one(&mut *db).await?;
        if let Some(error) = error {
            return Err(format!("a round failed: {error}").into());
        }
        if let Some(good_at) = good_at.filter(|at| Some(*at) != last) {
            return Ok(Round { good_at, seconds, listed });
        }
        if began.elapsed() > Duration::from_secs(120) {
            return Err("no round ended within two minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
