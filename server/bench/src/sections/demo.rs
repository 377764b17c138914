//! `make demo` again: the built demo, to its ready line.

use crate::Failure;
use crate::process::{Process, tied};
use crate::report::{Report, Row};
use crate::stats::Spread;
use crate::world::World;
use nix::sys::signal::Signal;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};

const PATIENCE: Duration = Duration::from_secs(90);

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let program = &world.programs.demo;
    println!(
        "  how: {} demo --json, its own embedded Postgres and 250 connections; from its start to its ready line, with the data of \
         an earlier start; make's own look whether everything is built is not in it",
        program.display()
    );
    let fresh = start(world, &["--fresh"]).await?;
    println!("    the first time: {fresh:.1} s");
    let mut times = Vec::new();
    for _ in 0..world.runs() {
        times.push(start(world, &[]).await?);
    }
    report.add(vec![Row::at_most("demo_again_s", "s", Spread::of(times), 10.0)]);
    Ok(())
}

/// Starts it, waits for its ready line and ends it: seconds from one to the other.
async fn start(world: &World, how: &[&str]) -> Result<f64, Failure> {
    let data = world.dir().join("demo");
    let mut command = tied(&world.programs.demo, "TERM", &[]);
    command.args(["demo", "--json", "--port", "0"]).args(how).stdout(Stdio::piped());
    command.env("LINEWATCH_DATA_DIR", &data).env("LEPTOS_SITE_ROOT", &world.programs.site);
    let began = Instant::now();
    let mut process = Process::start("linewatch demo", command, &world.dir().join("demo.log"))?;
    let mut lines = BufReader::new(process.stdout()?).lines();
    let ready = async {
        while let Some(line) = lines.next_line().await? {
            if line.starts_with('{') {
                return Ok(began.elapsed().as_secs_f64());
            }
        }
        Err(Failure::from(format!("linewatch demo ended before it was ready.\n{}", process.last_words())))
    };
    let seconds = tokio::time::timeout(PATIENCE, ready).await;
    let seconds = seconds.unwrap_or_else(|_| Err(format!("not ready after {} s", PATIENCE.as_secs()).into()))?;
    process.stop(Signal::SIGTERM).await?;
    Ok(seconds)
}
