//! The webhook door over many stored events and keys, beside one that has none.

use super::door::drain;
use crate::Failure;
use crate::linewatch::Linewatch;
use crate::load::{self, Target};
use crate::report::{Report, Row, shown};
use crate::seed;
use crate::stats::Spread;
use crate::webhook::Stream;
use crate::world::World;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The one that has none.
const EMPTY: &str = "stored_empty";

/// Measures it over the events that lie in this database.
pub async fn run(world: &World, report: &mut Report, full: &Linewatch, database: &str) -> Result<(), Failure> {
    println!(
        "  how: each of those events is given its key, at random places of the index; 64 connections, closed loop, 600 bytes each, \
         processing runs; beside it a second Linewatch whose tables hold only what was sent to it here. In turns, once each \
         unmeasured; one checkpoint before all and then when Postgres wants one, with shared_buffers 128 MB, max_wal_size 1 GB, \
         full_page_writes, fsync and synchronous_commit on"
    );
    let lasts = Duration::from_secs(world.pick(6, 1));
    let share = share(world, full, database, lasts).await?;
    report.add(vec![Row::at_least("door_stored_10m_share", "share", share, 0.75)]);
    Ok(())
}

/// The rate of the door of `full`, whose events are given their keys first, as a share of one's over empty tables: in each of
/// three runs or, in a smoke run, of one.
pub async fn share(world: &World, full: &Linewatch, database: &str, lasts: Duration) -> Result<Spread, Failure> {
    let empty = world.serve(EMPTY).await?;
    seed::sources(&empty).await?;
    seed::connections(&mut world.postgres.connect(EMPTY).await?, 0, 1_000).await?;
    let began = Instant::now();
    let keys = seed::keys(&mut world.postgres.connect(database).await?).await?;
    println!("    {keys} keys made in {:.0} s", began.elapsed().as_secs_f64());
    let doors = [(target(world, &empty, EMPTY).await?, EMPTY), (target(world, full, database).await?, database)];
    world.postgres.checkpoint().await?;
    for (target, database) in &doors {
        load::closed(target, 64, lasts / 2).await?;
        drain(world, database).await?;
    }
    let mut shares = Vec::new();
    for run in 0..world.runs() {
        let mut rates = [0.0; 2];
        // who goes first, changes
        for at in [run % 2, (run + 1) % 2] {
            let (target, database) = &doors[at];
            rates[at] = load::closed(target, 64, lasts).await?.rate();
            drain(world, database).await?;
        }
        println!("    empty {}/s · full {}/s", shown(rates[0]), shown(rates[1]));
        shares.push(rates[1] / rates[0]);
    }
    empty.stop().await?;
    Ok(Spread::of(shares))
}

/// Its door, with webhooks about its source's connections.
async fn target(world: &World, linewatch: &Linewatch, database: &str) -> Result<Target, Failure> {
    let mut db = world.postgres.connect(database).await?;
    let keys = "select key from connection where health = 'healthy' and source_id = (select id from source where name = 'bench')";
    let keys: Vec<String> = sqlx::query_scalar(keys).fetch_all(&mut db).await?;
    if keys.is_empty() {
        return Err("no connection is healthy".into());
    }
    Ok(Target { address: linewatch.address, path: "/webhooks/bench", stream: Arc::new(Stream::about(keys)) })
}
