//! The webhook door: its rate beside the ceiling, its times, how processing keeps up, and what it costs in memory.

use super::{mb, watching};
use crate::Failure;
use crate::load::{self, Target};
use crate::postgres::{disk, free_port};
use crate::process::{Process, own_cpu, tied};
use crate::report::{Report, Row, shown};
use crate::stats::{Spread, ms, percentile_ms};
use crate::world::{Watched, World};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// What svix-server reached at its best setting over the ceiling beside it, both on one machine and before this run: the ratio
/// is what can be carried to another machine.
const SVIX_SHARE: f64 = 2_940.0 / 72_800.0;
/// Requests a second of the open loop.
const RATE: u32 = 5_000;
const DATABASE: &str = "door";

/// Measures the door.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let watched = world.watched(DATABASE, world.pick(10_000, 1_000)).await?;
    let ceiling = Ceiling::start(world).await?;
    println!("  on {}, Postgres {}, fsync and synchronous_commit on", disk(world.dir()), world.postgres.version);
    report.add(closed(world, &watched, &ceiling).await?);
    report.add(alone(world, &watched).await?);
    report.add(open(world, &watched).await?);
    watched.linewatch.stop().await
}

async fn closed(world: &World, watched: &Watched, ceiling: &Ceiling) -> Result<Vec<Row>, Failure> {
    println!(
        "  how: 64 connections, closed loop; 600 bytes each, with an id and a signature of its own, about one of {} known \
         connections, 1 of {} failed; processing runs. Before each run the ceiling, alike: axum, HMAC, JSON, no database",
        watched.keys.len(),
        crate::webhook::ONE_FAILS_IN
    );
    let (mut shares, mut p99s, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    let target = watched.target();
    let lasts = Duration::from_secs(world.pick(6, 2));
    let cores = std::thread::available_parallelism()?;
    for _ in 0..world.runs() {
        let most = load::closed(&ceiling.target(&target), 64, lasts / 2).await?.rate();
        let look = async || watched.linewatch.process.memory();
        let before = used(world, watched)?;
        let (mut done, held) = watching(load::closed(&target, 64, lasts), Duration::from_millis(100), look).await?;
        let after = used(world, watched)?;
        let cpu: Vec<_> = before.into_iter().zip(after).map(|(before, after)| (after - before).as_secs_f64()).collect();
        let drained = drain(world, DATABASE).await?;
        let p99 = percentile_ms(&mut done.times, 0.99);
        println!(
            "    ceiling {}/s · door {}/s, p50 {} ms, p99 {} ms · of {:.1} s × {cores} cores Linewatch used {:.1}, Postgres {:.1}, the \
             generator {:.1} · what was left to process took {:.1} s more",
            shown(most),
            shown(done.rate()),
            shown(percentile_ms(&mut done.times, 0.5)),
            shown(p99),
            done.took.as_secs_f64(),
            cpu[0],
            cpu[1],
            cpu[2],
            drained.as_secs_f64()
        );
        shares.push(done.rate() / most);
        p99s.push(p99);
        memory.extend(held.into_iter().max().map(mb));
    }
    Ok(vec![
        Row::at_least("door_share", "share", Spread::of(shares.clone()), 0.33),
        Row::at_least("door_times_svix", "times", Spread::of(shares.into_iter().map(|share| share / SVIX_SHARE)), 8.0),
        Row::at_most("door_p99_ms", "ms", Spread::of(p99s), 9.0),
        Row::at_most("memory_load_mb", "MB", Spread::of(memory), 150.0),
    ])
}

/// Processor time that Linewatch, Postgres and we ourselves used so far.
fn used(world: &World, watched: &Watched) -> Result<[Duration; 3], Failure> {
    Ok([watched.linewatch.process.cpu()?, world.postgres.cpu()?, own_cpu()?])
}

async fn alone(world: &World, watched: &Watched) -> Result<Vec<Row>, Failure> {
    println!("  how: one connection, one webhook after the other");
    let mut p50s = Vec::new();
    for _ in 0..world.runs() {
        let mut done = load::closed(&watched.target(), 1, Duration::from_secs(world.pick(3, 1))).await?;
        p50s.push(percentile_ms(&mut done.times, 0.5));
        drain(world, DATABASE).await?;
    }
    Ok(vec![Row::at_most("door_p50_ms", "ms", Spread::of(p50s), 1.0)])
}

async fn open(world: &World, watched: &Watched) -> Result<Vec<Row>, Failure> {
    println!(
        "  how: open loop, {RATE}/s, each counted from when it was due; the backlog's age: how long the oldest event has waited \
         to be processed, asked of Postgres every 50 ms, the worst after the first second"
    );
    let (mut p99s, mut ages) = (Vec::new(), Vec::new());
    for _ in 0..world.runs() {
        let mut db = world.postgres.connect(DATABASE).await?;
        let look = async || {
            let age = "select coalesce(extract(epoch from now() - min(due_at)), 0)::float8 from event_due where due_at <= now()";
            Ok(sqlx::query_scalar::<_, f64>(age).fetch_one(&mut db).await?)
        };
        let target = watched.target();
        let load = load::open(&target, RATE, Duration::from_secs(world.pick(10, 3)));
        let (mut done, seen) = watching(load, Duration::from_millis(50), look).await?;
        let drained = drain(world, DATABASE).await?;
        let worst = seen.into_iter().skip(20).fold(0.0, f64::max);
        let p99 = percentile_ms(&mut done.times, 0.99);
        println!(
            "    {}/s answered, p50 {} ms, p99 {} ms, sent {} ms late at worst · backlog {} s old at worst, gone {:.1} s after",
            shown(done.rate()),
            shown(percentile_ms(&mut done.times, 0.5)),
            shown(p99),
            shown(ms(done.lag)),
            shown(worst),
            drained.as_secs_f64()
        );
        p99s.push(p99);
        ages.push(worst);
    }
    Ok(vec![
        Row::at_most("door_open_p99_ms", "ms", Spread::of(p99s), 8.0),
        Row::at_most("backlog_age_s", "s", Spread::of(ages), 1.0),
    ])
}

/// Waits until everything that came is processed; how long that took.
pub async fn drain(world: &World, database: &str) -> Result<Duration, Failure> {
    let mut db = world.postgres.connect(database).await?;
    let began = Instant::now();
    loop {
        let due = sqlx::query_scalar::<_, bool>("select exists (select from event_due where due_at <= now())");
        if !due.fetch_one(&mut db).await? {
            return Ok(began.elapsed());
        }
        if began.elapsed() > Duration::from_secs(90) {
            return Err("what came was not processed within a minute and a half".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The same door without database, running.
pub struct Ceiling {
    _process: Process,
    address: SocketAddr,
}

impl Ceiling {
    /// Starts it: this very program, told to be it.
    pub async fn start(world: &World) -> Result<Self, Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = tied(std::env::current_exe()?, "TERM", &[]);
        command.arg("--ceiling").arg(address.to_string());
        let mut process = Process::start("the ceiling", command, &world.dir().join("ceiling.log"))?;
        for _ in 0..200 {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(Self { _process: process, address });
            }
            process.must_run()?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("the ceiling does not come up".into())
    }

    /// The same webhooks, sent to it.
    pub fn target(&self, target: &Target) -> Target {
        Target { address: self.address, ..target.clone() }
    }
}
